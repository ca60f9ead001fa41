"""Gradus in other people's hands: installs this build into an empty folder and builds examples/outside/ against it with CMake, pkg-config and
meson; then against the source, by CMake's FetchContent and as a meson subproject.   check.py SOURCE BUILD [--all]

Without --all the subproject's library is configured, not built (FetchContent has built it once); scripts/check.sh asks for all.
Prints a line a check, and the counts as doctest does.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

source, build = Path(sys.argv[1]), Path(sys.argv[2])
everything = "--all" in sys.argv
cmake, ninja = shutil.which("cmake"), shutil.which("ninja") or shutil.which("ninja-build")
generator = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
counts = {"passed": 0, "failed": 0}


class Failed(Exception):
    pass


def run(*command, **environment):
    done = subprocess.run([str(c) for c in command], env={**os.environ, **environment}, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}\nexit code {done.returncode}\n{done.stdout[-5000:]}{done.stderr[-5000:]}")
    return done.stdout + done.stderr


def check(condition, said):
    if not condition:
        raise Failed(said)


def test(f):
    try:
        f()
        counts["passed"] += 1
        print(f"  ok    {f.__doc__}", flush=True)
    except Failed as failure:
        counts["failed"] += 1
        print(f"  FAIL  {f.__doc__}\n{failure}", flush=True)
    return f


with tempfile.TemporaryDirectory(prefix="gradus-outside-") as folder:
    scratch = Path(folder)
    options = {o["name"]: o["value"] for o in json.loads(run("meson", "introspect", build, "--buildoptions"))}
    prefix = scratch / "stage" / options["prefix"].lstrip("/")
    libraries = prefix / options["libdir"]
    # A copy, so that nothing of the tree is found by accident.
    project = scratch / "project"
    shutil.copytree(source / "examples" / "outside", project)
    programs = (project / "programs.txt").read_text().split()
    tools = {"PKG_CONFIG_PATH": str(libraries / "pkgconfig"), "LD_LIBRARY_PATH": str(libraries), "OMP_WAIT_POLICY": "passive"}

    @test
    def install():
        """meson install with DESTDIR: program, headers, a whole library, pkg-config and CMake files, without paths of this machine"""
        run("meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", scratch / "stage")
        for name in ("include/gradus/gradus.h", "include/gradus/version.h", "include/gradus/nn/layers.h"):
            check((prefix / name).is_file(), f"{name} is not installed")
        check(not (prefix / "include/gradus/kernels/simd.h").exists(), "a private header is installed")
        files = [p for p in (scratch / "stage").rglob("*") if p.is_file()]
        for archive in (p for p in files if p.suffix == ".a"):
            check(archive.read_bytes().startswith(b"!<arch>\n"), f"{archive.name} is a thin archive")
        for text in (p for p in files if p.suffix in (".h", ".pc", ".cmake")):
            for path in (source, build):
                check(str(path) not in text.read_text(), f"{text.name} names a path of this machine: {path}")
        if options["cli"] != "disabled":
            said = run(prefix / "bin" / "gradus", "--version", **tools)
            for word in ("gradus ", "commit ", "core ", "kernels "):
                check(word in said, f"gradus --version says: {said}")

    @test
    def pkg_config():
        """pkg-config and make: examples/outside/ against the installed folder, moved"""
        run("make", "-C", project, f"PROGRAMS={programs[0]}", "test", **tools)

    @test
    def meson_installed():
        """meson: the same"""
        at = scratch / "by-meson"
        run("meson", "setup", at, project, **tools)
        run(ninja, "-C", at, programs[0], **tools)
        run(at / programs[0], **tools)

    @test
    def subproject():
        """meson: Gradus as a subproject: its library and nothing else, its warnings no errors"""
        at, copy = scratch / "by-subproject", scratch / "with-subproject"
        shutil.copytree(source / "examples" / "outside", copy)
        (copy / "subprojects").mkdir()
        (copy / "subprojects" / "gradus").symlink_to(source)
        run("meson", "setup", at, copy, "--force-fallback-for=gradus", "-Dbuildtype=debug")
        targets = json.loads(run("meson", "introspect", at, "--targets"))
        names = {t["name"] for t in targets if "subprojects" in t["defined_in"] or not t["defined_in"].startswith(str(copy))}
        check("gradus" in names and all(n == "gradus" or n.startswith("kernels-") for n in names), f"it builds {sorted(names)}")
        commands = json.loads((at / "compile_commands.json").read_text())
        strict = [c["file"] for c in commands if "-Werror" in c["command"] and "gated" not in c["file"]]
        check(not strict, f"warnings are errors in {strict[:3]}")
        if everything:
            run(ninja, "-C", at)
            run(at / programs[0], **tools)
        else:
            run(ninja, "-C", at, f"{programs[0]}.p/{programs[0]}.cpp.o")

    if not cmake:
        print("SKIPPED: CMake is not here, so find_package and FetchContent were not tried")
    else:

        @test
        def cmake_installed():
            """CMake, find_package(gradus): every program of examples/outside/"""
            at = scratch / "by-cmake"
            run(cmake, "-S", project, "-B", at, f"-DCMAKE_PREFIX_PATH={prefix}", *generator)
            run(cmake, "--build", at, "--parallel", str(os.cpu_count()))
            run("ctest", "--test-dir", at, "--output-on-failure", **tools)

        @test
        def cmake_version():
            """CMake, find_package(gradus 99): refused, with the version that is there"""
            at = scratch / "asks-too-much"
            at.mkdir()
            (at / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.20)\nproject(p CXX)\nfind_package(gradus 99 REQUIRED)\n")
            try:
                run(cmake, "-S", at, "-B", at / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
            except Failed as refusal:
                return check("version" in str(refusal), str(refusal))
            raise Failed("version 99 was found")

        @test
        def cmake_source():
            """CMake, FetchContent: Gradus built from its source"""
            at = scratch / "by-fetch-content"
            run(cmake, "-S", project, "-B", at, f"-DGRADUS_SOURCE={source}", "-DGRADUS_MESON_OPTIONS=-Doptimization=0", *generator)
            run(cmake, "--build", at, "--parallel", str(os.cpu_count()), "--target", programs[0])
            run(at / programs[0], **tools)

        @test
        def cmake_without_meson():
            """CMake, FetchContent where meson is missing: a clear word"""
            try:
                run(cmake, "-S", project, "-B", scratch / "no-meson", f"-DGRADUS_SOURCE={source}", "-DCMAKE_PROGRAM_PATH=/nowhere",
                    "-DGRADUS_MESON=", *generator)
            except Failed as refusal:
                return check("meson was not found" in str(refusal) and "find_package" in str(refusal), str(refusal))
            raise Failed("it configured without meson")

passed, failed = counts["passed"], counts["failed"]
print(f"test cases: {passed + failed} | {passed} passed | {failed} failed")
sys.exit(bool(failed))
