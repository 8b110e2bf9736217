//! include finish
// Iota, Gather and Gather rows: each element by itself.  n[0] says how elements of a become
// elements of d.

override OP: u32 = 0u;         // 0: p.op

const CONVERT: u32 = 0u;       // by their kinds
const PIXELS: u32 = 1u;        // words as they are
const TABLE: u32 = 2u;         // bytes of a Q: scratch holds what each of the 256 becomes

// s + c, where b is s.
fn op_iota(c: u32) -> u32 {
    let fraction = fraction_of(p.b.kind);
    let value = i64_add(i64_of(i32(raw_b(0u, 0u))), i64_shl(i64_of_u32(c), fraction));
    return finish64(value, fraction, p.d.kind);
}

fn taken(r: u32, c: u32) -> u32 {
    let raw = raw_a(r, c);
    switch p.n[0] {
        case PIXELS: { return raw; }
        case TABLE: { return scratch[raw]; }
        default: { return convert(raw, p.a.kind, p.d.kind); }
    }
}

// Element ``position`` of a, row-major; 0 outside.
fn op_gather(position: i32) -> u32 {
    if (position < 0 || u32(position) >= p.n[1]) {
        return 0u;
    }
    let r = u32(position) / p.a.cols;
    return taken(r, u32(position) - r * p.a.cols);
}

// Element c of row ``row`` of a; 0 outside.
fn op_gather_rows(row: i32, c: u32) -> u32 {
    if (row < 0 || u32(row) >= p.a.rows) {
        return 0u;
    }
    return taken(u32(row), c);
}

fn element(r: u32, c: u32) -> u32 {
    switch select(OP, p.op, OP == 0u) {
        case 73u: { return op_iota(c); }
        case 71u: { return op_gather(floor_of(raw_b(r, c), p.b.kind)); }
        default: {
            let i = r / p.b.cols;
            return op_gather_rows(floor_of(raw_b(i, r - i * p.b.cols), p.b.kind), c);
        }
    }
}

// Elements c to c + 3 in a word.
fn four(r: u32, c: u32) -> u32 {
    let low = (element(r, c) & 0xFFu) | ((element(r, c + 1u) & 0xFFu) << 8u);
    return low | ((element(r, c + 2u) & 0xFFu) << 16u) | ((element(r, c + 3u) & 0xFFu) << 24u);
}
//! include pull pull_rows
