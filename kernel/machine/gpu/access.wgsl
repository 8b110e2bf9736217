// What every kernel sees: operands, parameters, the fault words, and memory by words.
// The buffers themselves are declared by shaders.py, which also splits those that are larger
// than a binding; kernels reach them by load_a, load_b, load_d and store_d alone.

// A strided rectangle.  offset, row_step, col_step count units (4 or 1 bytes) from the start of the
// operand's buffer, modulo 2^32; the step of a dimension of 1 is 0, so that it broadcasts.
struct Operand {
    offset: u32,
    row_step: u32,
    col_step: u32,
    rows: u32,
    cols: u32,
    kind: u32,         // class: the ASCII code of I X T P Q
    unit: u32,         // bytes of an element: 4 or 1
    flags: u32,        // FROM_D
    leaf: u32,
    scale_bits: u32,   // of a Q, float32 bits
    offset_bits: u32,
    pad: u32,
}

struct Params {
    d: Operand,
    a: Operand,
    b: Operand,
    rows: u32,         // shape of the result, before it is broadcast to d
    cols: u32,
    op: u32,           // opcode character
    literal: u32,      // byte of 'o or 'w
    total: u32,        // items of the grid: invocations beyond it do nothing
    row_words: u32,    // pull, d of bytes: words that a row of d touches
    pad0: u32,
    pad1: u32,
    n: array<u32, 20>, // the family's own
}

// The operand lies in d's buffer, which is bound once.
const FROM_D: u32 = 1u;
// faulted() says whether an earlier instruction of this stream has faulted: then nothing more has any
// effect.  Word 0 of fault is that; word 1 the least element that a check found; word 2 counts
// checks passed.  Only checks and the verdict write there; for all others fault is read-only, so that
// the guard is an ordinary cached load.
const NO_FAULT: u32 = 0xFFFFFFFFu;

var<workgroup> fault_seen: u32;

// The same for kernels with barriers: uniform for the workgroup.
fn faulted_uniform(local: u32) -> bool {
    if (local == 0u) {
        fault_seen = select(0u, 1u, faulted());
    }
    return workgroupUniformLoad(&fault_seen) != 0u;
}

const GROUP: u32 = 256u;

// Number of an invocation in a linear grid of groups of 256.
fn linear(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
    return (group.y * groups.x + group.x) * GROUP + local;
}

// Where element (r, c) of an operand is, in its units.
fn at(o: Operand, r: u32, c: u32) -> u32 {
    return o.offset + r * o.row_step + c * o.col_step;
}

fn byte_of(word: u32, address: u32) -> u32 {
    return (word >> ((address & 3u) * 8u)) & 0xFFu;
}

// Raw elements: words as they are, bytes zero-extended.
fn raw_a(r: u32, c: u32) -> u32 {
    let i = at(p.a, r, c);
    if (p.a.unit == 4u) {
        return load_a(i);
    }
    return byte_of(load_a(i >> 2u), i);
}

fn raw_b(r: u32, c: u32) -> u32 {
    let i = at(p.b, r, c);
    if (p.b.unit == 4u) {
        return load_b(i);
    }
    return byte_of(load_b(i >> 2u), i);
}

fn raw_d(r: u32, c: u32) -> u32 {
    let i = at(p.d, r, c);
    if (p.d.unit == 4u) {
        return load_d(i);
    }
    return byte_of(load_d(i >> 2u), i);
}
