"""The build of the compiled module `dbgate_core.native._compiled`, which may fail in peace.

hatchling calls the hook for wheels (a platform wheel when it compiled, a pure one when not) and for
editable installs (the extension in place, ignored by git). `python hatch_build.py` builds in place.
Without a compiler, Python's headers or Cython the build goes on without, and says so: everything
that is compiled has a twin in Python.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from sysconfig import get_config_var
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT: Final = Path(__file__).resolve().parent
FOLDER: Final = ROOT / "broker/dbgate_core/native"
MODULE: Final = "dbgate_core.native._compiled"
WITHOUT: Final = "building without the compiled module, masking bulk results will be slow"
FLAGS: Final = ("-O3", "-Wno-unreachable-code", "-Wno-unused-function")


class CustomBuildHook(BuildHookInterface[Any]):
    """hatchling's entry."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files are gathered; a source distribution needs nothing."""
        if self.target_name != "wheel":
            return
        built = build()
        if built is None or version == "editable":
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"][str(built)] = f"dbgate_core/native/{built.name}"


def build() -> Path | None:
    """The extension in place, compiled when it is older than its sources; None without it."""
    target = FOLDER / f"_compiled{get_config_var('EXT_SUFFIX')}"
    sources = [Path(__file__), *FOLDER.glob("*.p[yx][xi]*"), *FOLDER.glob("*.h")]
    if target.exists() and target.stat().st_mtime > max(s.stat().st_mtime for s in sources):
        return target
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="dbgate-build-") as folder:
        done = subprocess.run(
            [sys.executable, __file__, "compile", folder],
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        made = Path(folder, "dbgate_core/native", target.name)
        if done.returncode or not made.exists():
            print(done.stderr or done.stdout, f"dbgate: {WITHOUT}", sep="\n", file=sys.stderr)
            return None
        os.replace(_beside(made, target), target)
    return target


def _beside(made: Path, target: Path) -> Path:
    """A copy in the target's folder, so that a program that runs never sees half a module."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    beside.write_bytes(made.read_bytes())
    beside.chmod(0o755)
    return beside


def compile_into(folder: str) -> None:
    """Cython, then the C compiler, in a process of their own: they may end it as they like."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    extension = Extension(
        MODULE,
        [str((FOLDER / "_compiled.pyx").relative_to(ROOT))],
        include_dirs=[str(FOLDER)],
        extra_compile_args=list(FLAGS),
    )
    made = cythonize([extension], build_dir=folder, language_level=3, quiet=True)
    command = Distribution({"name": "dbgate", "ext_modules": made}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = folder, folder
    command.ensure_finalized()
    command.run()


if __name__ == "__main__":
    if sys.argv[1:2] == ["compile"]:
        compile_into(sys.argv[2])
    else:
        with contextlib.suppress(BrokenPipeError):
            print(build() or WITHOUT)
