"""What the programs here are all told: where to work, and which binaries to run."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "build" / "release"


def add_common(parser, folder):
    """`folder` is the one below build/ that is worked in without --directory."""
    parser.add_argument("--directory", type=pathlib.Path, default=ROOT / "build" / folder,
                        help=f"for data and results (default: build/{folder})")
    parser.add_argument("--arus", type=pathlib.Path, default=RELEASE / "arus",
                        help="the server (default: build/release/arus)")
    parser.add_argument("--load", type=pathlib.Path, default=RELEASE / "benchmarks" / "arus_load",
                        help="the client (default: build/release/benchmarks/arus_load)")
