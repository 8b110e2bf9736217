"""What Name changes, and how it is changed back: an entry that is pointed at matrices in turn.

A network's loop over its layers names each layer's matrices in turn.  Everything that rests on such
an entry (what it and the views of it mean, the closures of instructions with it as an operand) is
dropped when the entry is pointed elsewhere, and is the same again when it comes back.  A
:class:`Scene` keeps it: of one entry, while it names one matrix.  Going from one scene to the next
is a few assignments.

A scene rests on no other entry that Name changes: one that would is not kept, and closures that
would are left out of it.  All scenes are dropped when a header changes that one of them rests on,
when Name changes an entry for the first time, and when the executor forgets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from ..isa import FIRST_SMALL
from ..memory import SYS_ROW
from ..plan_operands import operand_byte
from ..plan_types import Fault, Matrix
from ..registers import State

Closure = Callable[[], int]
Pair = tuple[int, Closure]


@dataclass(slots=True, eq=False)
class Scene:
    """An entry while it names the matrix at one header row.

    ``known``: what it and the views that rest on it mean.  ``words``: the closures that rest on
    them.  ``version``: of the regions that are known to bear the arrival of this scene.
    ``number``: its own.  ``gone``: words of the scene numbered ``after``, which it followed last,
    that are none of its words.
    """

    known: dict[int, Matrix | Fault]
    words: dict[int, Pair]
    number: int
    version: int = -1
    after: int = -1
    gone: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Names:
    """The scenes of one process.

    ``fast``, ``dependents``: the stepper's remembered closures, and by entry the words that rest
    on it.  ``show(word, pair)`` hands a closure to the regions that use it, None takes it away.
    ``version()``: grows with every region.
    """

    state: State
    fast: dict[int, Pair]
    dependents: dict[int, set[int]]
    show: Callable[[int, Pair | None], None]
    version: Callable[[], int]
    _scenes: dict[int, dict[int, Scene]] = field(default_factory=dict)
    _now: dict[int, Scene] = field(default_factory=dict)
    _renamed: set[int] = field(default_factory=set)
    _watched: set[int] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=count)
    _rests: dict[int, frozenset[int]] = field(default_factory=dict)

    # ---- what the executor reports -----------------------------------------------------------

    def remembered(self, word: int, entries: frozenset[int]) -> None:
        """The closure of an instruction was remembered; it rests on ``entries``."""
        renamed = entries & self._renamed
        if renamed:
            self._rests[word] = entries
            for entry in renamed:
                self._now.pop(entry, None)

    def changed(self, entries: set[int]) -> None:
        """Headers changed."""
        if not self._watched.isdisjoint(entries):
            self.forget()

    def forget(self) -> None:
        """Drop all scenes."""
        self._scenes.clear()
        self._now.clear()
        self._watched.clear()
        self._rests.clear()

    def leave(self, entry: int) -> None:
        """``entry`` is about to be pointed elsewhere; its words are forgotten, its scene kept."""
        if entry not in self._renamed:
            self._renamed.add(entry)
            self.forget()
        scene = self._now.get(entry) or self._scene(entry)
        for word in self._words_on((entry, *scene.known)):
            self.fast.pop(word, None)
            self.show(word, None)
        self._now.pop(entry, None)

    def arrived(self, entry: int) -> None:
        """``entry`` was pointed elsewhere, and the regions that could not bear it are gone."""
        scene = self._scenes.get(entry, {}).get(self.state.planner.resolver.row_of(entry))
        if scene is not None:
            scene.version = self.version()

    # ---- scenes ----------------------------------------------------------------------------------

    def _words_on(self, entries: Iterable[int]) -> set[int]:
        found: set[int] = set()
        for entry in entries:
            found |= self.dependents.get(entry, set())
        return found

    def _scene(self, entry: int) -> Scene:
        """The scene of an entry as it is now, kept if it stands alone."""
        resolver = self.state.planner.resolver
        known = resolver.resting(entry)
        words: dict[int, Pair] = {}
        for word in self._words_on((entry, *known)):
            pair, entries = self.fast.get(word), self._rests.get(word)
            if pair is not None and entries is not None and entries & self._renamed == {entry}:
                words[word] = pair
                self._watched |= entries
        row = resolver.row_of(entry)
        self._watched.update(known, resolver.entries_at(row))
        scenes = self._scenes.setdefault(entry, {})
        old = scenes.pop(row, None)
        version = old.version if old is not None else -1
        scene = Scene(known, words, next(self._numbers), version)
        if self._stands_alone(entry, known):
            scenes[row] = scene
        return scene

    def _stands_alone(self, entry: int, known: dict[int, Matrix | Fault]) -> bool:
        """Whether ``known`` of an entry, and of the views of it, is the same again when it is back,
        whatever else Name has changed by then."""
        return all(
            isinstance(now, Matrix) and {one, now.entry} & self._renamed <= {entry}
            for one, now in known.items()
        )

    def closure(self, word: int) -> Closure | None:
        """What does a Name between scenes; 0 where it cannot.  None for an index that is no number
        or scalar integer, or one of SYS, where memory need not be what it says."""
        entry, first, place = (operand_byte(word, n) for n in range(3))
        planner, memory = self.state.planner, self.state.memory
        resolver = planner.resolver
        index = resolver.operand(place, 2)
        if isinstance(index, Fault) or index.cls != "I" or (index.rows, index.cols) != (1, 1):
            return None
        if index.row == SYS_ROW:
            return None
        fixed = first + index.value if place >= FIRST_SMALL else None
        ints, words = memory.ints.data, memory.words.data
        offset, table, length = index.offset, resolver.table_addr, resolver.table_len

        def run() -> int:
            origin = fixed
            if origin is None:
                if resolver.known.get(place) is not index:
                    return 0
                origin = first + ints[offset]
            if not 0 <= origin < length:
                return 0
            row = words[table + origin]
            if row == words[table + entry]:
                return -1
            scenes = self._scenes.get(entry)
            scene = scenes.get(row) if scenes is not None else None
            if scene is None or scene.version != self.version():
                return 0
            if not resolver.rests_within(entry, scene.known):
                return 0  # a view of the entry that regions were not asked about
            self._go(entry, scene)
            words[table + entry] = row
            return -1

        return run

    def _go(self, entry: int, scene: Scene) -> None:
        """From the scene of an entry as it is to another."""
        old = self._now.get(entry)
        if old is None:
            old = self._scene(entry)
            gone = self._words_on((entry, *old.known)) - scene.words.keys()
        else:
            if scene.after != old.number:
                scene.after, scene.gone = old.number, old.words.keys() - scene.words.keys()
            gone = scene.gone
        for word in gone:
            self.fast.pop(word, None)
            self.show(word, None)
        for word, pair in scene.words.items():
            self.fast[word] = pair
            self.show(word, pair)
        self.state.planner.resolver.rename(entry, old.known, scene.known)
        self._now[entry] = scene
