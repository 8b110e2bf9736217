"""``pxos run``: filters, text, faults, options."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pxos.boot import photos
from pxos.boot.errors import BootError
from pxos.boot.run_options import Words, parse_memory
from pxos.kernel.machine import png
from pxos.kernel.machine.meta import Arg, Meta

from . import programs
from .conftest import Pxos, noise


def save(path: Path, picture: np.ndarray) -> np.ndarray:
    photos.save(path, picture)
    return picture


def load(path: Path) -> np.ndarray:
    (picture,) = photos.read_pictures(path)
    return picture


def added(picture: np.ndarray, by: int) -> np.ndarray:
    return np.minimum(picture.astype(int) + by, 255).astype(np.uint8)


# ---- pictures ---------------------------------------------------------------------------


def test_a_filter_reads_and_writes_files(pxos: Pxos, here: Path) -> None:
    picture = save(here / "in.png", noise(5, 7))
    done = pxos("run", "add", 3, "-i", "in.png", "-o", "out.png")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert np.array_equal(load(here / "out.png"), added(picture, 3))
    assert sorted(path.name for path in here.iterdir()) == ["in.png", "out.png"]


def test_arguments_options_and_files_in_any_order(pxos: Pxos, here: Path, apps: Path) -> None:
    picture = save(here / "in.png", noise(5, 7))
    for words in (
        ["run", "-o", "o.png", "add", "-i", "in.png", "--by", "4"],
        ["run", "add", "--by=4", "-i=in.png", "-o=o.png", "--on", "cpu"],
        ["run", "--fuel", "1000000", "add", "-i", "in.png", "-o", "o.png", "--", "4"],
        ["run", apps / "add" / "add.png", "4", "--loud", "-i", "in.png", "-o", "o.png"],
    ):
        (here / "o.png").unlink(missing_ok=True)
        assert pxos(*words).status == 0
        assert np.array_equal(load(here / "o.png"), added(picture, 4))


def test_other_formats_are_converted(pxos: Pxos, here: Path) -> None:
    picture = np.full((8, 9, 4), (100, 150, 200, 255), np.uint8)
    save(here / "in.jpg", picture)
    assert pxos("run", "add", 0, "-i", "in.jpg", "-o", "out.webp").status == 0
    assert np.abs(load(here / "out.webp").astype(int) - picture).max() <= 3
    assert (here / "out.webp").read_bytes()[8:12] == b"WEBP"


def test_several_pictures_stream_through(pxos: Pxos, here: Path) -> None:
    a, b = save(here / "a.png", noise(3, 3, 1)), save(here / "b.png", noise(4, 4, 2))
    assert pxos("run", "add", "-i", "a.png", "-i", "b.png", "-o", "o.png").status == 0
    assert np.array_equal(load(here / "o-1.png"), added(a, 1))
    assert np.array_equal(load(here / "o-2.png"), added(b, 1))
    assert not (here / "o.png").exists()
    assert (
        pxos("run", "add", "-i", "a.png", "-i", "b.png", "-o", "x.png", "-o", "y.png").status == 0
    )
    assert np.array_equal(load(here / "y.png"), added(b, 1))


def test_each_input_gets_its_picture(pxos: Pxos, here: Path) -> None:
    a, b = save(here / "a.png", noise(3, 3, 1)), save(here / "b.png", noise(3, 5, 2))
    assert pxos("run", "pair", "-i", "a.png", "-i", "b.png", "-o", "o.png").status == 0
    assert np.array_equal(load(here / "o.png"), np.hstack([a, b]))
    done = pxos("run", "pair", "-i", "a.png", "-o", "o.png")
    assert (done.status, done.err) == (
        2,
        "pxos: pair needs a picture more (right); give each with -i\n",
    )


def test_the_last_picture_of_a_still_program_is_kept(pxos: Pxos, here: Path) -> None:
    assert pxos("run", "still", "-o", "s.png").status == 0
    assert (load(here / "s.png") == [255, 128, 0, 255]).all()


def test_too_many_pictures_for_the_names(pxos: Pxos, here: Path) -> None:
    save(here / "a.png", noise(3, 3))
    done = pxos("run", "thrice", "-i", "a.png", "-o", "x.png", "-o", "y.png")
    assert done.status == 1
    assert "gives more than 2 pictures" in done.err
    assert sorted(path.name for path in here.iterdir()) == ["a.png"]
    done = pxos("run", "add", "-i", "a.png", "-o", "x.png", "-o", "y.png")
    assert done.status == 1
    assert "only 1 of 2 pictures came (-o y.png)" in done.err


def test_a_fault_prints_its_card_and_changes_nothing(pxos: Pxos, here: Path) -> None:
    save(here / "a.png", noise(3, 3))
    (here / "out.png").write_bytes(b"old")
    done = pxos("run", "breaks", "-i", "a.png", "-o", "out.png")
    assert done.status == 1
    assert done.out == ""
    lines = done.err.splitlines()
    assert lines[0] == "Breaks stopped: division by zero"
    assert any(line.startswith("where") and "program.pxa:" in line for line in lines)
    assert any(line.startswith("try") for line in lines)
    assert (here / "out.png").read_bytes() == b"old"
    assert sorted(path.name for path in here.iterdir()) == ["a.png", "out.png"]


def test_a_damaged_picture_is_told(pxos: Pxos, here: Path) -> None:
    save(here / "a.png", noise(30, 30))
    (here / "a.png").write_bytes((here / "a.png").read_bytes()[:500])
    done = pxos("run", "add", "-i", "a.png", "-o", "o.png")
    assert done.status == 1
    assert "a.png" in done.err
    assert "past the end of the file" in done.err
    assert not (here / "o.png").exists()


def test_random_numbers_repeat_unless_another_seed_is_given(pxos: Pxos, here: Path) -> None:
    for name, words in (("a", []), ("b", []), ("c", ["--seed", "7"]), ("d", ["--seed", "7"])):
        assert pxos("run", "noise", "-o", f"{name}.png", *words).status == 0
    pictures = {name: (here / f"{name}.png").read_bytes() for name in "abcd"}
    assert pictures["a"] == pictures["b"] != pictures["c"] == pictures["d"]


# ---- what goes wrong --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "what"),
    [
        (["run"], 2, "no program was named"),
        (["run", "blurr"], 2, "there is no program 'blurr'"),
        (["run", "ad"], 2, "did you mean add?"),
        (["run", "none.png"], 1, "no such program file"),
        (["run", "a.png"], 1, "not a pxOS program"),
        (["run", "text.txt"], 1, "no PNG"),
        (["run", "."], 2, "there is no program '.'"),
        (["run", "add"], 2, "needs a picture more (image)"),
        (["run", "add", "-i"], 2, "-i needs a value"),
        (["run", "add", "-i", "none.png"], 1, "there is no such picture (none.png)"),
        (["run", "add", "-i", "a.png", "-o", "x.xyz"], 2, "no picture format"),
        (["run", "add", "-i", "a.png", "-o", "no/x.png"], 1, "cannot be written there"),
        (["run", "add", "-i", "a.png", "-o", "-", "-o", "x.png"], 2, "alone"),
        (["run", "add", "-i", "-", "-i", "-"], 2, "only one thing"),
        (["run", "add", "99", "-i", "a.png"], 2, "by is 0 to 9, not 99"),
        (["run", "add", "--bye", "1", "-i", "a.png"], 2, "no argument --bye"),
        (["run", "add", "1", "2", "-i", "a.png"], 2, "no place for '2'"),
        (["run", "twice", "-i", "a.png"], 2, "twice reads no pictures"),
        (["run", "twice", "-o", "x.png"], 2, "twice gives no pictures"),
        (["run", "twice", "--frames", "3", "--screenshot", "x.png"], 2, "twice has no screen"),
        (["run", "--bogus", "add"], 2, "there is no option --bogus"),
        (["run", "--on", "moon", "add"], 2, "one of cpu, gpu, auto, not 'moon' (--on)"),
        (["run", "--fuel", "x", "add"], 2, "--fuel"),
        (["run", "--memory", "12Q", "add"], 2, "512M"),
        (["run", "--size", "9", "echo"], 2, "ROWSxCOLUMNS"),
        (["run", "--allow", "moon", "echo"], 2, "no port 'moon'"),
        (["run", "--graphics", "crt", "echo"], 2, "--graphics"),
        (["run", "echo", "--allow", "line"], 2, "pxos boot --desktop echo"),
        (["run", "--window", "--headless", "echo"], 2, "exclude each other"),
        (["run", "echo"], 1, "no display"),
        (["run", "echo", "--headless"], 2, "add --frames N"),
        (["run", "echo", "--screenshot", "x.png"], 2, "add --frames N"),
        (["run", "echo", "--headless", "--frames", "2", "--screenshot", "x.xyz"], 2, "format"),
        (["run", "echo", "-o", "x.png"], 2, "no last picture"),
        (["run", "add", "--fuel", "2", "-i", "a.png", "-o", "x.png"], 1, "fuel used up"),
        (["run", "add", "--memory", "1", "-i", "a.png"], 1, "memory quota"),
    ],
)
def test_errors_say_what_is_wrong(
    pxos: Pxos, here: Path, words: list[str], status: int, what: str
) -> None:
    save(here / "a.png", noise(3, 3))
    (here / "text.txt").write_text("hello")
    done = pxos(*words)
    assert what in done.err
    assert done.status == status
    assert done.out == ""
    assert done.err.startswith("pxos: ") or " stopped: " in done.err
    assert sorted(path.name for path in here.iterdir()) == ["a.png", "text.txt"]


def test_help(pxos: Pxos) -> None:
    done = pxos("run", "--help")
    assert done.status == 0
    assert "-o PICTURE" in done.out
    done = pxos("run", "add", "--help")
    assert done.status == 0
    for part in (
        "usage: pxos run add [BY] [--loud] -i PICTURE -o PICTURE",
        "adds to all bytes",
        "--by    whole number 0..9 (1)  how much",
        "pictures: image",
    ):
        assert part in done.out


def test_help_names_arguments_as_they_are_typed(pxos: Pxos, here: Path) -> None:
    source = 'ports arguments\narg top_k int = 3 "how many"\narg keep_all flag "or all"\nhalt'
    Path("pick.pxa").write_text(source)
    done = pxos("run", "pick.pxa", "--help")
    assert done.status == 0
    for part in (
        "usage: pxos run pick [TOP_K] [--keep-all]",
        "--top-k     whole number (3)  how many",
        "--keep-all  yes or no         or all",
    ):
        assert part in done.out
    assert pxos("run", "pick.pxa", "--top-k", "5", "--keep-all").status == 0
    assert pxos("run", "pick.pxa", "--top_k=5", "--keep_all").status == 0
    assert "--top-k needs a value" in pxos("run", "pick.pxa", "--top-k").err


def test_an_argument_wins_over_an_option_of_its_name() -> None:
    meta = Meta(args=(Arg("size", "int", 1), Arg("window", "flag", False)))
    reading = Words(
        ["--size", "9x9", "app", "--size", "4", "--window", "--frames", "3", "-o", "x.png"]
    )
    reading.until_app()
    options = reading.rest(meta)
    assert options.screen.size == (9, 9)
    assert options.words == ["--size", "4", "--window"]
    assert options.screen.where == ""
    assert options.screen.frames == 3
    assert options.outputs == ["x.png"]
    reading = Words(["app", "-i", "a", "--", "-i", "b", "--frames"])
    reading.until_app()
    options = reading.rest(meta)
    assert options.inputs == ["a"]
    assert options.words == ["--", "-i", "b", "--frames"]


def test_amounts_of_memory() -> None:
    assert [parse_memory(text) for text in ("1", "2k", "3M", "1G")] == [1, 2048, 3 << 20, 1 << 30]
    for text in ("", "0", "-1", "1.5G", "17G", "M", "9" * 30):
        with pytest.raises(BootError):
            parse_memory(text)


# ---- screens ----------------------------------------------------------------------------


def test_a_screenshot_without_a_screen(pxos: Pxos, here: Path) -> None:
    words = ["run", "echo", "--headless", "--frames", "12", "--screenshot"]
    assert pxos(*words, "a.png").status == 0
    assert pxos(*words, "b.png").status == 0
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()
    assert load(here / "a.png")[5, 5].tolist() == [12, 0, 0, 255]


def test_a_screenshot_needs_no_display(pxos: Pxos, here: Path) -> None:
    done = pxos("run", "echo", "--frames", "3", "--screenshot", "a.png")
    assert done.status == 0
    assert "running without a screen" in done.err
    assert load(here / "a.png")[5, 5, 0] == 3


def test_a_still_program_can_be_looked_at_without_a_screen(pxos: Pxos, here: Path) -> None:
    done = pxos("run", "still", "--headless", "--frames", "3", "--screenshot", "a.png")
    assert done.status == 0
    assert load(here / "a.png").shape == (6, 9, 4)


# ---- standard input and output ----------------------------------------------------------


def run(here: Path, *words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "pxos", *words],
        cwd=here,
        input=data,
        capture_output=True,
        timeout=60,
    )


def test_text_flows_through(here: Path) -> None:
    done = run(here, "run", "twice", data=b"hello\n")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"hello\nhello\n", b"")


def test_pictures_flow_through(here: Path) -> None:
    picture = noise(4, 4)
    done = run(here, "run", "add", "2", "-i", "-", "-o", "-", data=png.encode(picture))
    assert done.returncode == 0
    assert np.array_equal(png.decode(done.stdout), added(picture, 2))
    assert np.array_equal(png.decode(run(here, "run", "still").stdout)[0, 0], [255, 128, 0, 255])


def test_a_reader_that_goes_away_is_no_error(here: Path) -> None:
    done = subprocess.run(
        f"yes | {sys.executable} -m pxos run twice | head -n 2; echo ${{PIPESTATUS[1]}}",
        shell=True,
        executable="/bin/bash",
        cwd=here,
        capture_output=True,
        timeout=60,
    )
    assert done.stdout == b"y\ny\n0\n"
    assert done.stderr == b""


def test_interrupting_a_program_that_never_ends(here: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pxos", "run", "forever"], cwd=here, stderr=subprocess.PIPE
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2.5)
    process.send_signal(2)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, b"")


def test_animations_are_read_frame_by_frame(pxos: Pxos, here: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    (here / "a.gif").write_bytes(out.getvalue())
    assert pxos("run", "add", 0, "-i", "a.gif", "-o", "f.png").status == 0
    assert load(here / "f-1.png")[0, 0].tolist() == [255, 0, 0, 255]
    assert load(here / "f-2.png")[0, 0].tolist() == [0, 0, 255, 255]


def test_files_only_where_they_are_allowed(pxos: Pxos, here: Path, tmp_path: Path) -> None:
    source = """
    title "Writes"
    ports files text
    words : T = "secret"
    out(files, words, "note.txt")
    halt
    """
    programs.write_app(here / "own", "writes", source)
    path = here / "own" / "writes" / "writes.png"
    done = pxos("run", path)
    assert done.status == 1
    assert "port not granted" in done.err
    assert not (here / "note.txt").exists()
    assert pxos("run", path, "--allow", "files").status == 0
    assert (here / "note.txt").read_bytes() == b"secret"


def test_starting_imports_nothing_heavy(here: Path) -> None:
    script = (
        "import sys; from pxos.boot.cli import main;"
        "status = main(['run', 'still', '-o', 's.png']);"
        "heavy = {'PIL', 'pygame', 'argparse', 'prompt_toolkit', 'numpy.ma', 'asyncio'};"
        "print(status, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=here,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ},
    )
    assert done.stdout == "0 []\n", done
