"""Check what the linters do not: sizes of modules and functions, and a few forbidden words.

Usage: `python tools/check_sizes.py [PATH ...]` (default `src`); exit code 1 where a rule is broken.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40  # without the docstring
MAX_POSITIONAL = 6
LONGER_FUNCTIONS = {("loop.py", "train"): 80}
"""Functions that may be longer, by file and name: the one training loop."""
MORE_POSITIONAL = {("endpoints.py", "edit"): 10}
"""Functions that may take more by position, by file and name: Gradio gives an endpoint's values so,
and names them by the function's arguments."""
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def function_lines(function: Function) -> int:
    """Count the lines of a function, from `def` to its end, less its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def num_positional(function: Function) -> int:
    """Count the arguments that can be given by position, `self` and `cls` apart."""
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def check_function(function: Function, file: str) -> Iterator[str]:
    """Yield what is wrong with one function."""
    allowed = LONGER_FUNCTIONS.get((file, function.name), MAX_FUNCTION_LINES)
    if (lines := function_lines(function)) > allowed:
        yield f"{function.name} has {lines} lines without its docstring, at most {allowed}"
    most = MORE_POSITIONAL.get((file, function.name), MAX_POSITIONAL)
    if (count := num_positional(function)) > most:
        yield (
            f"{function.name} takes {count} arguments by position, at most {most}: "
            "put a * before the rest"
        )


def check_node(node: ast.AST, file: str) -> Iterator[str]:
    """Yield what is wrong with one node of a module's tree."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from check_function(node, file)
        case ast.Import(names=names) if any(n.name.split(".")[0] == "torchvision" for n in names):
            yield "imports torchvision, which has no build for every torch that we support"
        case ast.ImportFrom(module=str(module)) if module.split(".")[0] == "torchvision":
            yield "imports torchvision, which has no build for every torch that we support"
        case ast.Name(id="NotImplementedError"):
            yield "mentions NotImplementedError: leave unwritten code out"


def check_module(path: Path) -> Iterator[str]:
    """Yield one line, `file:line: what`, for each rule that a module breaks."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if len(lines) > MAX_MODULE_LINES:
        yield f"{path}:1: the module has {len(lines)} lines, at most {MAX_MODULE_LINES}"
    for number, line in enumerate(lines, start=1):
        if found := UNFINISHED.search(line):
            yield f"{path}:{number}: {found.group()}: finish it, or file an issue"
    for node in ast.walk(ast.parse(text, filename=str(path))):
        for problem in check_node(node, path.name):
            yield f"{path}:{getattr(node, 'lineno', 1)}: {problem}"


def main(arguments: list[str]) -> int:
    """Check every Python file under the given paths; return the exit code."""
    roots = [Path(a) for a in arguments or ["src"]]
    if absent := [str(r) for r in roots if not r.exists()]:
        print(f"no such path: {', '.join(absent)}", file=sys.stderr)
        return 2
    files = sorted(f for r in roots for f in ([r] if r.is_file() else r.rglob("*.py")))
    problems = [problem for file in files for problem in check_module(file)]
    for problem in problems:
        print(problem)
    print(f"sizes: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
