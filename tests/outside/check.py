"""Gradus in other people's hands: check.py SOURCE BUILD COMPILER.

Installs the build into an empty folder and builds examples/outside/ against it with CMake,
pkg-config and meson; then against the source, by CMake's FetchContent and as a meson subproject.
That subproject's library is configured, not built: FetchContent has built it once. Where
GRADUS_CHECK_ALL is set (scripts/check.sh), it is built as well. Prints a line per check, and the
counts as doctest does.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

source, build, compiler = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
everything = bool(os.environ.get("GRADUS_CHECK_ALL"))
cmake, make = shutil.which("cmake"), shutil.which("make")
ninja = shutil.which("ninja") or shutil.which("ninja-build")
counts = {"passed": 0, "failed": 0}


class Failed(Exception):
    pass


def run(*command, **environment):
    """What the command says; a failure where it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        env={**os.environ, "CXX": compiler, **environment},
        errors="replace",
    )
    if done.returncode:
        raise Failed(
            f"{' '.join(map(str, command))}\nexit code {done.returncode}\n"
            f"{done.stdout[-5000:]}{done.stderr[-5000:]}"
        )
    return done.stdout + done.stderr


def refused(*command):
    """What a command says that must fail."""
    try:
        run(*command)
    except Failed as refusal:
        return str(refusal)
    raise Failed(f"{' '.join(map(str, command))}\nshould have failed")


def check(condition, said):
    if not condition:
        raise Failed(said)


def test(function):
    try:
        function()
        counts["passed"] += 1
        print(f"  ok    {function.__doc__}", flush=True)
    except Failed as failure:
        counts["failed"] += 1
        print(f"  FAIL  {function.__doc__}\n{failure}", flush=True)


def end():
    passed, failed = counts["passed"], counts["failed"]
    print(f"test cases: {passed + failed} | {passed} passed | {failed} failed")
    sys.exit(bool(failed))


said = json.loads(run("meson", "introspect", build, "--buildoptions"))
options = {option["name"]: option["value"] for option in said}
if options.get("b_sanitize", "none") != "none":
    print("SKIPPED: outside: a library with sanitizers is not one that others link with")
    end()

with tempfile.TemporaryDirectory(prefix="gradus-outside-") as folder:
    scratch = Path(folder)
    stage = scratch / "stage"
    prefix = stage / options["prefix"].lstrip("/")
    libraries = prefix / options["libdir"]
    # A copy, so that nothing of the tree is found by accident.
    project = scratch / "project"
    shutil.copytree(source / "examples" / "outside", project)
    programs = (project / "programs.txt").read_text().split()
    first = programs[0]
    tools = {
        "PKG_CONFIG_PATH": str(libraries / "pkgconfig"),
        "LD_LIBRARY_PATH": str(libraries),
        "OMP_WAIT_POLICY": "passive",
    }
    with_cmake = [cmake, "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
    parallel = ["--parallel", os.cpu_count()]

    @test
    def install():
        """install: program, headers, a whole library, CMake and pkg-config, movable"""
        run("meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", stage)
        for name in ("gradus.h", "version.h", "nn/layers.h", "data/table.h"):
            check((prefix / "include/gradus" / name).is_file(), f"{name} is not installed")
        check(not (prefix / "include/gradus/kernels/simd.h").exists(), "a private header is there")
        files = [path for path in stage.rglob("*") if path.is_file()]
        for archive in (path for path in files if path.suffix == ".a"):
            whole = archive.read_bytes().startswith(b"!<arch>\n")
            check(whole, f"{archive.name} is a thin archive")
        for text in (path for path in files if path.suffix in (".h", ".pc", ".cmake")):
            for place in (source, build):
                check(str(place) not in text.read_text(), f"{text.name} names {place}")
        if options["cli"] != "disabled":
            version = run(prefix / "bin" / "gradus", "--version", **tools)
            for word in ("gradus ", "commit ", "core ", "kernels "):
                check(word in version, f"gradus --version says: {version}")

    if make:

        @test
        def pkg_config():
            """pkg-config and make, against what is installed"""
            run(make, "-C", project, f"PROGRAMS={first}", "test", **tools)

    else:
        print("SKIPPED: outside: without make, pkg-config alone was not tried")

    @test
    def meson_installed():
        """meson, against what is installed"""
        at = scratch / "by-meson"
        run("meson", "setup", at, project, **tools)
        run(ninja, "-C", at, first, **tools)
        run(at / first, **tools)

    @test
    def subproject():
        """meson, Gradus as a subproject: the library and nothing else, warnings no errors"""
        at, copy = scratch / "by-subproject", scratch / "with-subproject"
        shutil.copytree(source / "examples" / "outside", copy)
        (copy / "subprojects").mkdir()
        (copy / "subprojects" / "gradus").symlink_to(source)
        run("meson", "setup", at, copy, "--force-fallback-for=gradus")
        targets = json.loads(run("meson", "introspect", at, "--targets"))
        ours = {target["name"] for target in targets} - set(programs)
        parts = {name for name in ours if name.startswith("kernels-")}
        check(ours - parts == {"gradus", "engine"}, f"it builds {sorted(ours)}")
        commands = json.loads((at / "compile_commands.json").read_text())
        strict = [
            c["file"]
            for c in commands
            if "-Werror" in c["command"] and "subprojects" in c["output"]
        ]
        check(not strict, f"warnings are errors in {strict[:3]}")
        run(ninja, "-C", at, *([] if everything else [f"{first}.p/{first}.cpp.o"]))
        if everything:
            run(at / first, **tools)

    if cmake:

        @test
        def cmake_installed():
            """CMake, find_package(gradus): every program, against what is installed"""
            at = scratch / "by-cmake"
            run(*with_cmake, "-S", project, "-B", at, f"-DCMAKE_PREFIX_PATH={prefix}")
            run(cmake, "--build", at, *parallel)
            run("ctest", "--test-dir", at, "--output-on-failure", **tools)

        @test
        def cmake_version():
            """CMake, find_package(gradus 99): refused, with the version that is there"""
            at = scratch / "asks-too-much"
            at.mkdir()
            (at / "CMakeLists.txt").write_text(
                "cmake_minimum_required(VERSION 3.20)\n"
                "project(p CXX)\nfind_package(gradus 99 REQUIRED)\n"
            )
            answer = refused(
                *with_cmake, "-S", at, "-B", at / "build", f"-DCMAKE_PREFIX_PATH={prefix}"
            )
            check("gradusConfig.cmake, version: 0." in answer, answer)

        @test
        def cmake_source():
            """CMake, FetchContent: Gradus built from its source"""
            at = scratch / "by-fetch-content"
            run(
                *with_cmake,
                "-S",
                project,
                "-B",
                at,
                f"-DGRADUS_SOURCE={source}",
                "-DGRADUS_MESON_OPTIONS=-Doptimization=0",
            )
            run(cmake, "--build", at, *parallel, "--target", first)
            run(at / first, **tools)

        @test
        def cmake_without_meson():
            """CMake, FetchContent where meson is missing: a clear word"""
            answer = refused(
                *with_cmake,
                "-S",
                project,
                "-B",
                scratch / "no-meson",
                f"-DGRADUS_SOURCE={source}",
                "-DGRADUS_MESON=",
            )
            check("meson was not found" in answer and "find_package" in answer, answer)

    else:
        print("SKIPPED: outside: without cmake, find_package and FetchContent were not tried")

end()
