"""What pxOS takes from its surroundings: folders, variables, terminals, chance."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from ..fs.folders import FolderStore

#: Folders with programs of the user's own, before those that come with pxOS.
APPS_VARIABLE = "PXOS_APPS"
#: How many threads NumPy's matrix products may use, by the libraries they are made with.
_BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def keep_products_single() -> None:
    """Have NumPy use one thread for each matrix product, unless the user has said how many.

    The kernel already gives long instructions threads of their own, and the threads of a product
    wait for each other spinning: with any other work on the machine a small product takes a
    hundred times as long, while a large one gains less than a second core is worth.  To be called
    before NumPy is imported, which is when it looks.
    """
    for variable in _BLAS_VARIABLES:
        os.environ.setdefault(variable, "1")


def keep_cuda_repeatable() -> None:
    """Have NVIDIA's cuBLAS give the same sums each time, unless the user has said otherwise.  To be
    called before PyTorch opens a GPU."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def bundled_apps() -> Path:
    """The folder of the programs that come with pxOS."""
    return Path(__file__).resolve().parent.parent / "apps"


def app_store() -> FolderStore:
    """The programs that are known by name."""
    own = os.environ.get(APPS_VARIABLE, "")
    roots = [Path(part).expanduser() for part in own.split(os.pathsep) if part]
    return FolderStore([*roots, bundled_apps()])


def home() -> Path | None:
    """The user's home folder, if there is one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def may_have_display() -> bool:
    """Whether it is worth asking for a window.

    On Linux and the BSDs a window needs a display server, whose address is in the environment;
    without one SDL would take over the console of the machine, even from a remote login.
    """
    if sys.platform in ("win32", "cygwin", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def has_display() -> bool:
    """Whether a window can be expected to open: a display is named, and where its name says that
    it is one of this machine, somebody listens there.  A variable outlives its server, in a
    terminal multiplexer or a container say."""
    if sys.platform in ("win32", "cygwin", "darwin"):
        return True
    return _wayland_listens(os.environ.get("WAYLAND_DISPLAY", "")) or _x_listens(
        os.environ.get("DISPLAY", "")
    )


def display_name() -> str:
    """What the surroundings call the display; "" if they name none."""
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or ""


def _wayland_listens(name: str) -> bool:
    import socket

    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    return bool(name) and _listens(socket.AF_UNIX, os.path.join(folder, name))


def _x_listens(name: str) -> bool:
    import socket

    local = re.fullmatch(r"(?:unix)?:(\d{1,5})(?:\.\d+)?", name)
    if local is None:
        return bool(name)  # on another machine, or in a form that only its library knows
    number = int(local[1])
    path = f"/tmp/.X11-unix/X{number}"
    # In the order of libxcb, which has the last where neither of the others is.
    return (
        _listens(socket.AF_UNIX, "\0" + path)
        or _listens(socket.AF_UNIX, path)
        or (number < 1000 and _listens(socket.AF_INET, ("localhost", 6000 + number)))
    )


def _listens(family: int, address: str | tuple[str, int]) -> bool:
    """Whether a server takes connections, or is only too busy to."""
    import socket

    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address)
        except (BlockingIOError, TimeoutError):
            return True
        except OSError:
            return False
    return True


def has_package(name: str) -> bool:
    """Whether a Python package is installed; does not import it."""
    from importlib.util import find_spec

    return find_spec(name) is not None


def may_have_gpu() -> bool:
    """Whether it is worth looking for a GPU.

    On Linux and the BSDs that takes a device file and a Vulkan driver's manifest, where the Vulkan
    loader looks for it; a renderer in software has the second alone.
    """
    if sys.platform in ("win32", "cygwin", "darwin"):
        return True
    devices = ("dri/renderD*", "nvidia[0-9]*", "dxg")
    if not any(next(Path("/dev").glob(pattern), None) for pattern in devices):
        return False
    named = os.environ.get("VK_DRIVER_FILES") or os.environ.get("VK_ICD_FILENAMES")
    return bool(named) or any(
        next((folder / "vulkan" / "icd.d").glob("*.json"), None) for folder in _vulkan_folders()
    )


def keep_drivers_quiet() -> None:
    """Where there is no display server, keep Mesa from asking one which adapter it draws with:
    it complains on standard error, once for each driver.  pxOS chooses by itself."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("NODEVICE_SELECT", "1")


def _vulkan_folders() -> list[Path]:
    """The folders in which the Vulkan loader looks for ``vulkan/icd.d``."""
    listed = (
        os.environ.get("XDG_CONFIG_HOME", "~/.config"),
        os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg"),
        "/usr/local/etc:/etc",
        os.environ.get("XDG_DATA_HOME", "~/.local/share"),
        os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share"),
    )
    own = str(home() or "")
    parts = [part for paths in listed for part in paths.split(os.pathsep) if part]
    return [Path(own + part[1:] if part.startswith("~") else part) for part in parts]


#: How the driver for a GPU is installed, by the names that a Linux distribution goes by.
_DRIVERS = {
    "debian": "apt install mesa-vulkan-drivers",
    "fedora": "dnf install mesa-vulkan-drivers",
    "rhel": "dnf install mesa-vulkan-drivers",
    "suse": "zypper install libvulkan_lvp, or that of your card: libvulkan_intel, libvulkan_radeon",
    "arch": "pacman -S vulkan-swrast, or the package of your card: vulkan-intel, vulkan-radeon",
    "alpine": "apk add mesa-vulkan-swrast, or mesa-vulkan-intel, mesa-vulkan-ati",
}


def gpu_advice() -> str:
    """What to do on this system for a GPU that programs can run on."""
    if sys.platform == "darwin":
        return "Metal comes with macOS 10.13 and newer: update the system"
    if sys.platform in ("win32", "cygwin"):
        return "Direct3D 12 comes with Windows 10 and newer: update the driver of your card"
    names = []
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        try:
            lines = path.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        settings = dict(line.partition("=")[::2] for line in lines)
        words = f"{settings.get('ID', '')} {settings.get('ID_LIKE', '')}"
        names = words.replace('"', "").lower().split()
        break
    command = next((_DRIVERS[name] for name in names if name in _DRIVERS), "")
    if not command:
        return "install the Vulkan driver of your card, or Mesa's"
    return f"{command} (an NVIDIA card needs NVIDIA's own driver)"


def has_terminal() -> bool:
    """Whether standard input and output are a terminal."""
    return sys.platform != "win32" and _is_tty(sys.stdin) and _is_tty(sys.stdout)


def _is_tty(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)  # a stream may be missing, or replaced by a test's
    return bool(isatty and not getattr(stream, "closed", False) and isatty())


def chance() -> int:
    """A seed that nobody can foresee: 64 bits."""
    return int.from_bytes(os.urandom(8), "little")


def history_file() -> Path | None:
    """Where the console keeps the lines typed before; its folder need not exist yet.  None if
    there is no place for it."""
    own = home()
    state = os.environ.get("XDG_STATE_HOME") or (own and own / ".local" / "state")
    return Path(state) / "pxos" / "history" if state else None
