//! include finish
// What Put, Put rows and Accumulate have in common.  Item k is element k of b, row-major: a
// position in d.  n[0] items; n[1] places: elements of d, for Put rows its rows; n[2] 1: words as
// they are.

const NOWHERE: u32 = 0xFFFFFFFFu;
const ACCUMULATE: u32 = 64u;   // @
const PUT_ROWS: u32 = 112u;    // p

fn items() -> u32 { return p.n[0]; }
fn places() -> u32 { return p.n[1]; }

// Row and column of item k in b.
fn cell_of(k: u32) -> vec2<u32> {
    if (p.b.rows == 1u) {
        return vec2<u32>(0u, k);
    }
    let r = k / p.b.cols;
    return vec2<u32>(r, k - r * p.b.cols);
}

// The place of item k in d, or NOWHERE.
fn place_of(k: u32) -> u32 {
    let cell = cell_of(k);
    let position = floor_of(raw_b(cell.x, cell.y), p.b.kind);
    if (position < 0 || u32(position) >= places()) {
        return NOWHERE;
    }
    return u32(position);
}

fn given(r: u32, c: u32) -> u32 {
    let raw = raw_a(r, c);
    if (p.n[2] == 1u) {
        return raw;
    }
    return convert(raw, p.a.kind, p.d.kind);
}

// What item k puts.
fn op_put(k: u32) -> u32 {
    let cell = cell_of(k);
    return given(cell.x, cell.y);
}

// What item k puts into column c of its row.
fn op_put_rows(k: u32, c: u32) -> u32 {
    return given(k, c);
}

// The raw word of a that item k adds.
fn addend(k: u32) -> vec2<u32> {
    let cell = cell_of(k);
    return i64_of(i32(raw_a(cell.x, cell.y)));
}

// The element of d that was ``before``, with an exact sum of raw words of a added.
fn op_accumulate(before: u32, sum: vec2<u32>) -> u32 {
    let own = fraction_of(p.d.kind);
    let other = fraction_of(p.a.kind);
    var added = sum;
    if (own > other) {
        // Beyond 2^40 the result saturates anyway; below, the shift cannot overflow.
        if (i64_less(added, vec2<u32>(0u, 0xFFFFFF00u))) {
            added = vec2<u32>(0u, 0xFFFFFF00u);
        } else if (i64_less(vec2<u32>(0u, 0x100u), added)) {
            added = vec2<u32>(0u, 0x100u);
        }
        added = i64_shl(added, own - other);
    }
    let held = i64_shl(i64_of(i32(before)), max(other, own) - own);
    return finish64(i64_add(held, added), max(own, other), p.d.kind);
}
