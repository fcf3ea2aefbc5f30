"""A short run of each fuzz target, from its corpus in the tree where there is one."""
import concurrent.futures
import pathlib
import subprocess


def run(tally, root, seconds, jobs):
    build = root / "build" / "fuzz"
    names = sorted(p.stem for p in (root / "src").glob("**/*_fuzz.cc"))

    def one(name):
        binary = next(iter(build.glob(f"src/**/{name}")), None)
        if binary is None:
            return name, None, "was not built"
        corpus = build / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        findings = build / "findings"
        findings.mkdir(exist_ok=True)
        seeds = root / "tests" / "corpus" / name
        command = [str(binary), str(corpus)] + ([str(seeds)] if seeds.is_dir() else [])
        command += [f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=10",
                    f"-artifact_prefix={findings}/{name}-", "-verbosity=0", "-print_final_stats=0"]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=seconds + 120, check=False)
        except subprocess.TimeoutExpired:
            return name, None, "no end within the limit"
        return name, done.returncode, done.stdout.decode(errors="replace")

    if not names:
        raise RuntimeError("there are no fuzz targets")
    with concurrent.futures.ThreadPoolExecutor(jobs) as threads:
        for name, status, output in threads.map(one, names):
            if status == 0:
                tally.add("fuzz", passed=1)
            else:
                tally.add("fuzz", failed=1, failures=[name])
                print(f"{name}: {output[-4000:]}", flush=True)
