"""``pxos import``: other people's models as program pictures."""

from __future__ import annotations

import argparse
import re
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..fs.atomic import write_atomically
from .built import tell_of_no_window
from .errors import DONE, BootError, wrong
from .standard import say, write_out
from .streams import STANDARD, why

if TYPE_CHECKING:
    from ..shell.lenses.networks import Emitted

#: The quantiser's ways to choose grids; a test compares them with its own.
METHODS = ("least-squares", "min-max")
_PICKLES = (".pt", ".pth", ".bin", ".pkl", ".ckpt")


def add_import(commands: Any, whole: Any) -> None:
    """Add the command's options; ``whole(low, high)`` makes a converter of integers."""
    parser = commands.add_parser(
        "import",
        help="make a program picture of a trained model",
        description="Makes a picture that runs on its own of a Llama or GPT-2 model as Hugging "
        "Face's tools keep it, or of the layers in an ONNX file (pip install 'pxos[import]'). "
        "docs/importing.md says what is supported.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help="a folder with config.json and model.safetensors, or a file.onnx",
    )
    parser.add_argument("-o", dest="output", metavar="MODEL.png", help="- is standard output")
    parser.add_argument(
        "--tokenizer",
        type=Path,
        metavar="tokenizer.json",
        help="the tokeniser of a language model (the folder's own)",
    )
    parser.add_argument(
        "--context",
        type=whole(1, 1 << 20),
        metavar="N",
        help="how many tokens a language model is to remember (its own, at most 2048)",
    )
    parser.add_argument(
        "--input", type=_size, metavar="RxC", help="the picture that an ONNX model takes"
    )
    parser.add_argument(
        "--method",
        choices=METHODS,
        default=METHODS[0],
        help="how bytes are fitted to weights: least squared error, or their range (least-squares)",
    )
    parser.add_argument(
        "--groups",
        type=whole(1, 64),
        default=1,
        metavar="N",
        help="cut each matrix into N groups of rows with grids of their own (1)",
    )
    parser.add_argument("--title", default="", help="what the app is called")
    parser.add_argument(
        "--sources", type=Path, metavar="FOLDER", help="write the app's source and weights as well"
    )


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text)
    if found is None:
        raise argparse.ArgumentTypeError("a size is ROWSxCOLUMNS, such as 28x28")
    return int(found[1]), int(found[2])


def main(options: Namespace) -> int:
    """Follow a parsed ``pxos import`` command; the exit status.  Raises BootError."""
    from ..kernel.machine import program
    from ..kernel.machine.layout import LayoutError
    from ..shell.lenses.assembler import AsmError
    from ..shell.lenses.networks import DescriptionError, QuantiseError
    from ..shell.lenses.networks.importers import ForeignError

    model: Path = options.model
    target = options.output or f"{_stem(model)}.png"
    _check_targets(target, options)
    try:
        emitted = _emitted(options, _name(target, model))
        made = emitted.assemble()
        data = program.save(made)
    except (ForeignError, DescriptionError, QuantiseError) as error:
        raise BootError(error.what, str(model), error.advice) from error
    except LayoutError as error:
        raise BootError(f"the model does not fit a picture, {error}", str(model)) from error
    except AsmError as error:
        say(str(error))
        advice = "ask for fewer --groups" if options.groups > 1 else "nothing was written"
        raise BootError("the app cannot be assembled", str(model), advice) from error
    if options.sources is not None:
        _write_sources(emitted, options.sources)
    _write(target, data)
    if target != STANDARD:
        say(f"{target}: {len(data):,} bytes")
    tell_of_no_window(made, options.groups)
    return DONE


def _check_targets(target: str, options: Namespace) -> None:
    """Raise BootError for what could not be written, before minutes are spent."""
    if target != STANDARD:
        path = Path(target)
        if path.resolve() == options.model.resolve():
            raise wrong("the picture would be written over the model", "name another with -o")
        if path.is_dir():
            raise wrong("this is a folder", "name a file with -o", target)
        if not path.parent.is_dir():
            raise wrong(f"there is no folder {path.parent}", "make it first", target)
    folder: Path | None = options.sources
    if folder is not None and folder.exists() and not folder.is_dir():
        raise wrong("sources go to a folder, this is a file", "name another", str(folder))


def _name(target: str, model: Path) -> str:
    """What the app is called in its help: letters, digits and underscores."""
    stem = _stem(model) if target == STANDARD else Path(target).stem
    return re.sub(r"\W", "_", stem, flags=re.ASCII) or "model"


def _stem(model: Path) -> str:
    """The model's name: that of the folder, or of the file without its ending."""
    whole = model.resolve()
    return (whole.name if whole.is_dir() else whole.stem) or "model"


def _emitted(options: Namespace, name: str) -> Emitted:
    """The app's sources; raises BootError and the importers' errors."""
    from ..shell.lenses.networks import importers

    model: Path = options.model
    how = {
        "name": name,
        "title": options.title,
        "method": options.method,
        "groups": options.groups,
    }
    if model.is_dir():
        if options.input is not None:
            raise wrong("--input is for ONNX models", "leave it out", str(model))
        read = importers.read_model(model, context=options.context)
        for note in read.notes:
            say(f"pxos: {note}")
        path = options.tokenizer or model / "tokenizer.json"
        if not path.is_file():
            raise BootError(
                "the model has no tokenizer.json",
                str(path),
                "name one with --tokenizer, or make it: "
                "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)",
            )
        tokeniser = importers.read_tokeniser(path, read.network.tokens)
        say(f"pxos: {read.network.count():,} weights become bytes")
        return importers.text_app(
            read.network, tokeniser, start=read.start or read.stop, stop=read.stop, **how
        )
    if model.suffix.lower() in _PICKLES:
        raise wrong(
            "pickles are not read, since they can run code",
            "save the model as safetensors with a config.json, or as ONNX",
            str(model),
        )
    if model.suffix.lower() != ".onnx":
        raise wrong(
            "a model is a folder with config.json and model.safetensors, or a file.onnx",
            "name the folder" if model.suffix.lower() == ".safetensors" else "check the path",
            str(model),
        )
    if options.tokenizer is not None or options.context is not None:
        raise wrong("--tokenizer and --context are for language models", "leave them out")
    return importers.chain_app(importers.read_onnx(model), shape=options.input, **how)


def _write_sources(emitted: Emitted, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in emitted.files.items():
            write_atomically(folder / name, data)
    except OSError as error:
        raise BootError(f"the sources cannot be written, {why(error)}", str(folder)) from error


def _write(path: str, data: bytes) -> None:
    """Write the picture whole or not at all, or to standard output; raises BootError."""
    if path == STANDARD:
        write_out(data)
        return
    try:
        write_atomically(Path(path), data)
    except OSError as error:
        raise BootError(f"the file cannot be written, {why(error)}", path) from error
