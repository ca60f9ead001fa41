"""Streams and files as a shell has them: closed and full outputs, pipes with a partner, links,
locks, signals, a file that is cut off while it is read. Runs the built program.

    streams.py GRADUS
"""

import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

gradus = sys.argv[1]
failures = []


def check(right, what, said=""):
    if not right:
        failures.append(what)
        print(f"FAILED: {what}\n{said}")


def run(*arguments, **options):
    return subprocess.run(
        [gradus, *map(str, arguments)],
        **{
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "stdin": subprocess.DEVNULL,
            "text": True,
            "timeout": 120,
            **options,
        },
    )


def must(*arguments):
    done = run(*arguments)
    if done.returncode != 0:
        print(f"FAILED: gradus {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
        sys.exit(1)


def refused(done, code, *mentions):
    said = done.stderr or ""
    check(
        done.returncode == code and all(part in said for part in mentions),
        f"{done.args[1]}: exit code {code} and {mentions}; it was {done.returncode}",
        said,
    )


def shell(command):
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)


def make_models(here):
    text = here / "text.txt"
    text.write_text(
        "".join(
            f"The cat number {i % 7} sat on the mat.\nThe dog saw it and ran away.\n\n"
            for i in range(80)
        )
    )
    must("vocab", "--corpus", text, "--size", 120, "--out", here / "vocab.txt")
    must(
        *["data", "build", "--corpus", text, "--vocab", here / "vocab.txt"],
        *["--validation-fraction", 0.1, "--out", here / "c.gds"],
    )
    config = {
        "model_type": "bert",
        "vocab_size": len((here / "vocab.txt").read_text().splitlines()),
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
    }
    (here / "config.json").write_text(json.dumps(config))
    must(*pretraining(here, "base", 4))
    lines = [f"the {'cat' if i % 2 else 'dog'} ran\t{'yes' if i % 2 else 'no'}" for i in range(20)]
    (here / "train.tsv").write_text("sentence\tlabel\n" + "\n".join(lines) + "\n")
    must(
        *["finetune", "classify", "--model", here / "base", "--train", here / "train.tsv"],
        *["--epochs", 1, "--out", here / "tuned"],
    )


def pretraining(here, out, steps, *more):
    return [
        *["pretrain", "--data", here / "c.gds", "--model", here / "config.json"],
        *["--max-seq-length", 32, "--batch-size", 4, "--max-steps", steps],
        *["--out", here / out, *more],
    ]


def full_and_closed_outputs(here):
    model, test = here / "tuned", here / "train.tsv"
    with open("/dev/full", "w") as full:
        for arguments in (
            ["predict", "--model", model, test],
            ["eval", "--model", model, test],
            ["fill-mask", "--model", here / "base", "the [MASK] ran"],
            ["tokenize", "--vocab", here / "vocab.txt", test],
            ["data", "inspect", here / "c.gds"],
            ["--version"],
        ):
            refused(run(*arguments, stdout=full), 1, "No space left")
        # the model is what training is for
        done = run(*pretraining(here, "full", 2), stdout=full)
        check(done.returncode == 0, "pretrain on a full standard output", done.stderr)
    done = shell(
        f"{' '.join(map(str, [gradus, *pretraining(here, 'closed', 2)]))} <&- >&- 2>&-; echo $?"
    )
    check(done.stdout.strip() == "0", "pretrain with all descriptors closed", done.stdout)
    for line in (here / "closed/metrics.jsonl").read_text().splitlines():
        json.loads(line)  # nothing that was printed got into it


def outputs(here):
    model, test = here / "tuned", here / "train.tsv"
    predict = ["predict", "--model", model]
    out = here / "answers.jsonl"
    must(*predict, "--out", out, test)
    right = out.read_text()
    refused(run(*predict, "--out", out, test), 2, "is there already", "--overwrite")
    refused(run(*predict, "--out", test, "--overwrite", test), 2, "the file that is read")
    refused(run(*predict, "--out", here, test), 2, "it is a folder")
    refused(run(*predict, "--out", here / "no/x", test), 2, "there is no folder")
    link = here / "link"
    link.symlink_to("answers.jsonl")
    out.write_text("old")
    must(*predict, "--out", link, "--overwrite", test)
    check(link.is_symlink() and out.read_text() == right, "--out through a link")
    for to in ("/dev/stdout", "/proc/self/fd/1"):
        check(run(*predict, "--out", to, test).stdout == right, f"--out {to}")
    must(*predict, "--out", "/dev/null", test)
    check(stat.S_ISCHR(os.stat("/dev/null").st_mode), "/dev/null is a device still")
    pipe = here / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True)
    must(*predict, "--out", pipe, test)
    check(reader.communicate()[0] == right, "--out into a pipe")
    check(stat.S_ISFIFO(os.stat(pipe).st_mode), "the pipe is one still")
    for arguments in (
        ["data", "inspect", pipe],
        ["vocab", "--corpus", pipe, "--size", 100, "--out", here / "v.txt"],
    ):
        refused(run(*arguments), 2, "not a regular file")
    done = shell(f"ulimit -f 20; {gradus} convert --model {model} --out {here}/cut")
    check(done.returncode == 1 and "File too large" in done.stderr, "ulimit -f", done.stderr)
    check(
        not any((here / "cut").iterdir()), "nothing is left in a folder that could not be written"
    )


def partners(here):
    """A partner that waits for each answer gets it."""
    for arguments in (
        ["predict", "--model", here / "tuned"],
        ["tokenize", "--vocab", here / "vocab.txt"],
        ["fill-mask", "--model", here / "base", "-"],
        ["embed", "--model", here / "base", "--out", "/dev/stdout"],
    ):
        partner = subprocess.Popen(
            [gradus, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        for _ in range(3):
            partner.stdin.write(b"the [MASK] ran\n")
            answered, _, _ = select.select([partner.stdout], [], [], 20)
            check(answered, f"{arguments[0]} answers when its input pauses")
            if not answered:
                partner.kill()
                break
            os.read(partner.stdout.fileno(), 1 << 20)
        partner.stdin.close()
        check(partner.wait(20) == 0, f"{arguments[0]} ends with its input")


def start(arguments):
    """As from a terminal: in the background of a shell SIGINT would be ignored."""
    return subprocess.Popen(
        [gradus, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: [
            signal.signal(s, signal.SIG_DFL) for s in (signal.SIGINT, signal.SIGHUP)
        ],
    )


def wait_for(path, seconds=30):
    end = time.time() + seconds
    while not path.exists() and time.time() < end:
        time.sleep(0.02)


def locks_and_signals(here):
    for name, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        out = here / f"stopped{code}"
        first = start(pretraining(here, out.name, 100000))
        wait_for(out / "metrics.jsonl")
        refused(
            run(*pretraining(here, out.name, 100000, "--resume")),
            2,
            "in use by another run",
            f"process {first.pid}",
        )
        refused(run("convert", "--model", here / "tuned", "--out", out, "--overwrite"), 2, "in use")
        first.send_signal(name)
        said = first.communicate(timeout=60)[1]
        check(
            first.returncode == code and "--resume" in said, f"{name.name} ends with {code}", said
        )
        check(list(out.glob("checkpoint-*")), f"a checkpoint after {name.name}")
        check(not list(out.glob(".gradus*")), f"no lock is left after {name.name}")
    # the lock of a process that was killed is nobody's
    out = here / "killed"
    first = start(pretraining(here, "killed", 100000))
    wait_for(out / "metrics.jsonl")
    first.kill()
    first.communicate()
    check((out / ".gradus.lock").exists(), "a killed run leaves its lock")
    must(*pretraining(here, "killed", 3, "--overwrite"))
    # another machine's, while it is fresh
    lock = out / ".gradus.lock"
    lock.write_text("host elsewhere process 7 since 2026-01-01T00:00:00Z\n")
    refused(run(*pretraining(here, "killed", 3, "--overwrite")), 2, "another machine", "elsewhere")
    os.utime(lock, (time.time() - 3600, time.time() - 3600))
    must(*pretraining(here, "killed", 3, "--overwrite"))
    # Ctrl-C while a large file is written: nothing temporary stays
    big = here / "big.txt"
    big.write_text("the cat sat on the mat and the dog ran away\n" * 200000)
    out = here / "big"
    out.mkdir()
    first = start(["embed", "--model", here / "base", "--out", out / "v.jsonl", big])
    while not list(out.iterdir()) and first.poll() is None:
        time.sleep(0.01)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)
    check(first.returncode == -signal.SIGINT, "Ctrl-C ends embed", str(first.returncode))
    check(not list(out.iterdir()), "nothing temporary after Ctrl-C", str(list(out.iterdir())))


def cut_off(here):
    """A corpus that is cut off while a run reads it is an error with its name."""
    corpus = here / "cut.gds"
    text = here / "long.txt"
    text.write_text("".join(f"The cat sat {i} times.\nIt ran.\n\n" for i in range(60000)))
    must("data", "build", "--corpus", text, "--vocab", here / "vocab.txt", "--out", corpus)
    command = pretraining(here, "cut-run", 100000)
    command[2] = corpus
    first = start(command)
    wait_for(here / "cut-run/metrics.jsonl")
    os.truncate(corpus, 4096)
    try:
        said = first.communicate(timeout=60)[1]
    except subprocess.TimeoutExpired:
        first.kill()
        said = first.communicate()[1] + "(it went on)"
    check(first.returncode == 1 and "cut off" in said, "a corpus that is cut off", said)


def full_disks(here):
    """A checkpoint that the disk does not take: said, and the run stops or goes on."""
    size = max(path.stat().st_size for path in (here / "base").iterdir())
    limit = f"ulimit -f {size * 3 // 2 // 1024}; "  # the model fits, its optimizer's state does not
    for policy, code, words in (
        ("stop", 1, "No checkpoint had been written"),
        ("go-on", 0, "the run goes on"),
    ):
        out = f"disk-{policy}"
        command = pretraining(here, out, 6, "--save-steps", 2, "--on-save-error", policy)
        done = shell(limit + " ".join(map(str, [gradus, *command])))
        said = done.stdout + done.stderr
        check(
            done.returncode == code and words in said and "File too large" in said,
            f"a checkpoint that does not fit, --on-save-error {policy}",
            said,
        )
        check(not list((here / out).glob("*.tmp-*")), "nothing temporary on a full disk")
    check(
        run("fill-mask", "--model", here / "disk-go-on", "the [MASK]").returncode == 0, "the model"
    )


def may(command):
    """Whether a thing that not every machine allows is allowed here."""
    return shell(command).returncode == 0


def may_mount(folder):
    return may(f"unshare --map-root-user --mount mount -t tmpfs tmpfs {folder}")


def may_trace():
    return may("strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:error=EIO true")


def small_disk(here):
    """A real disk that is full: the model on it is the one that was there, and nothing else is."""
    disk = here / "disk"
    disk.mkdir()
    if not may_mount(disk):
        return print("SKIPPED: a small disk, because none may be mounted here")
    predict = f"{gradus} predict --model {disk}/tuned {here}/train.tsv"
    done = shell(f"""unshare --map-root-user --mount bash -c '
        mount -t tmpfs -o size=4m tmpfs {disk}
        cp -r {here}/tuned {disk}
        {predict} > {here}/answers.before || exit 78
        dd if=/dev/zero of={disk}/rest bs=1k count=9999 2>/dev/null  # to the last byte
        {gradus} convert --model {here}/base --out {disk}/tuned --overwrite
        echo exit code $?
        {gradus} {' '.join(map(str, pretraining(here, "disk/run", 2)[:-2]))} --out {disk}/run
        echo exit code $?
        {predict} > {here}/answers.after || exit 79
        ls -A {disk} {disk}/tuned'""")
    said = done.stdout + done.stderr
    check(done.returncode == 0 and said.count("exit code 1\n") == 2, "a full disk", said)
    check(
        said.count("No space left on device") == 2 and "tmp-" not in done.stdout,
        "and says so",
        said,
    )
    check(
        (here / "answers.before").read_text() == (here / "answers.after").read_text(),
        "the model on a full disk answers as before",
    )


def failing_calls(here):
    """Each call that changes files fails in turn: said, and the folder is the one before."""
    if not may_trace():
        return print("SKIPPED: strace -e inject, because strace is not here or may not trace")
    shutil.copytree(here / "tuned", here / "injected")
    before = run("predict", "--model", here / "injected", here / "train.tsv").stdout
    for call, error, words in (
        ("fsync", "EIO", "Input/output error"),
        ("rename,renameat,renameat2", "ENOSPC", "No space left"),
        ("openat", "EMFILE", "Too many open files"),
        ("mkdir,mkdirat", "EACCES", "Permission denied"),
        ("write,pwrite64,writev", "ENOSPC", "No space left"),
    ):
        for turn in (1, 2, 4, 8, 16):
            paths = f"-P {here}/injected" if call == "openat" else ""
            done = shell(
                f"strace -f -qq -o /dev/null {paths} -e trace={call}"
                f" -e inject={call}:error={error}:when={turn}"
                f" {gradus} convert --model {here}/base --out {here}/injected --overwrite"
            )
            what = f"{call} number {turn} fails with {error}"
            if done.returncode == 0:  # there was no such call, or it did not matter
                shutil.rmtree(here / "injected")
                shutil.copytree(here / "tuned", here / "injected")
                continue
            said = done.stdout + done.stderr
            check(done.returncode == 1 and words in said, what, f"{done.returncode}: {said}")
            left = sorted(path.name for path in (here / "injected").iterdir())
            check(not any("tmp-" in name for name in left), f"{what}: nothing temporary", left)
            now = run("predict", "--model", here / "injected", here / "train.tsv")
            check(now.stdout == before, f"{what}: the model is the one before", now.stderr)


def mount_point(here):
    """A folder that cannot be swapped, killed at each rename: the next writer finds it whole."""
    disk = here / "mounted"
    disk.mkdir()
    if not may_mount(disk) or not may_trace():
        return print("SKIPPED: a mount point, because it may not be made or traced here")
    done = shell(f"""unshare --map-root-user --mount bash -c '
        mount -t tmpfs -o size=8m tmpfs {disk}
        predict() {{ {gradus} predict --model {disk} {here}/train.tsv 2>&1; }}
        convert() {{ {gradus} convert --model {here}/base --out {disk} --overwrite; }}
        for turn in $(seq 20); do
          rm -rf {disk}/* {disk}/.gradus*; cp {here}/tuned/* {disk}
          before=$(predict)
          strace -f -qq -o /dev/null -e trace=rename -e inject=rename:signal=SIGKILL:when=$turn \\
            {gradus} convert --model {here}/base --out {disk} --overwrite > {here}/said && break
          (ulimit -f 0; convert)  # puts the folder right, then cannot write
          if [ "$(predict)" = "$before" ]; then echo old
          elif {gradus} fill-mask --model {disk} "the [MASK]" > {here}/said; then echo new
          else echo neither after $turn; ls -A {disk}; fi
        done 2> {here}/errors
        echo ended after $turn'""")
    words = done.stdout.split()
    right = words.count("old") > 1 and words.count("new") > 1 and "neither" not in words
    check(right and "ended after 20" not in done.stdout, "a mount point", done.stdout + done.stderr)


def memory_limits(here):
    if b"__asan_init" in Path(gradus).read_bytes():
        return print("SKIPPED: limits of memory, because AddressSanitizer takes all addresses")
    for kilobytes in (100000, 200000, 300000, 400000):
        done = shell(
            f"ulimit -v {kilobytes}; timeout 30 "
            + " ".join(map(str, [gradus, *pretraining(here, "limits", 3, "--overwrite")]))
        )
        check(
            done.returncode == 1 and "not enough memory" in done.stderr,
            f"pretrain under ulimit -v {kilobytes}",
            f"{done.returncode} {done.stderr}",
        )
    done = run(*pretraining(here, "limits", 3, "--overwrite", "--memory-limit", "100M"))
    refused(done, 1, "not enough memory")


def limits(here):
    """No deadlock, whatever the environment says of threads."""
    for words in (
        ["env", "OMP_THREAD_LIMIT=1"],
        ["env", "OMP_DYNAMIC=true"],
        ["env", "OMP_THREAD_LIMIT=2", "OMP_NUM_THREADS=8"],
        ["env", "OMP_MAX_ACTIVE_LEVELS=0"],
        ["env", "OMP_NUM_THREADS=64"],
        ["taskset", "-c", "0"],
    ):
        command = [*words, gradus, *map(str, pretraining(here, "limits", 3, "--overwrite"))]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            check(done.returncode == 0, f"pretrain under {' '.join(words)}", done.stderr)
        except subprocess.TimeoutExpired:
            check(False, f"pretrain under {' '.join(words)} does not end")
    for value in ("0", "-1", "abc", "100000"):
        done = subprocess.run(
            ["env", f"OMP_NUM_THREADS={value}", gradus, "--version"], capture_output=True, text=True
        )
        refused_by = "OMP_NUM_THREADS" in done.stderr and done.returncode == 2
        check(refused_by, f"OMP_NUM_THREADS={value} is refused", done.stderr)
    refused(run(*pretraining(here, "limits", 3, "--memory-limit", "much")), 2, "--memory-limit")


with tempfile.TemporaryDirectory(prefix="gradus-streams-") as name:
    here = Path(name)
    make_models(here)
    for part in (
        full_and_closed_outputs,
        outputs,
        partners,
        locks_and_signals,
        cut_off,
        full_disks,
        small_disk,
        failing_calls,
        mount_point,
        limits,
        memory_limits,
    ):
        begin = time.time()
        part(here)
        print(f"{part.__name__}: {time.time() - begin:.1f} s", flush=True)
sys.exit(1 if failures else 0)
