"""The CPU executor: the picture's instructions in NumPy and generated Python.

Where to begin, in this order:

* ``kernel.machine.isa``: what every instruction means.
* ``kernel.machine.plan``: what is decided before any element is touched: kinds, shapes, addresses,
  growth, fuel.  Shared by all executors.
* ``operand``: what the element kernels get, and the rules between them and the executor.
* the element kernels, one module a family: ``arith bits functions fold index move matmul conv
  draw``.  Each exports ``bind``, which turns a plan's operands into a closure that fills d.
* ``fill``: from a plan to the closure that fills its destination.
* ``kernel.machine.registers``, ``kernel.machine.control`` and ``kernel.machine.stepper``: the
  registers; jumps, calls, ports; the step and its caches.  Shared by all executors.
* ``executor``: the loop and its caches, ``CpuExecutor.run``.
* ``native`` and its parts: loops that numba compiles, where it is installed, for networks.
* ``translate`` and its parts: hot scalar code as generated Python, with everything else called.

An instruction costs about a microsecond when it is remembered, ten or more when it is planned, and
a fiftieth of a microsecond when it is scalar and translated.
"""
