//! include finish
// Index: for each row of b the first equal row of a, by value; the narrower is padded with zeros.
// Few rows of a are tried one after the other; more by many invocations at once; for many pairs
// the rows of a are sorted (their numbers, in scratch) and searched by halves.
//
// n[0] rows of a; n[1] columns of the wider; n[2] how the result is found.

const TRIED: u32 = 0u;         // by the pull pass itself
const FOUND: u32 = 1u;         // counts holds the row or NOTHING
const SEARCHED: u32 = 2u;      // counts holds the number of lesser rows
const NOTHING: u32 = 0xFFFFFFFFu;

fn rows() -> u32 { return p.n[0]; }
fn width() -> u32 { return p.n[1]; }

fn padded_a(r: u32, c: u32) -> u32 {
    if (c >= p.a.cols) {
        return 0u;
    }
    return raw_a(r, c);
}

fn padded_b(r: u32, c: u32) -> u32 {
    if (c >= p.b.cols) {
        return 0u;
    }
    return raw_b(r, c);
}

// Row r of a and row k of b: less than 0, 0, or more, as their first unequal values are.
fn compare(r: u32, k: u32) -> i32 {
    let alike = fraction_of(p.a.kind) == fraction_of(p.b.kind);
    for (var c = 0u; c < width(); c++) {
        let a = padded_a(r, c);
        let b = padded_b(k, c);
        if (alike) {
            if (a != b) {
                return select(1, -1, i32(a) < i32(b));
            }
        } else {
            let x = value16(a, p.a.kind);
            let y = value16(b, p.b.kind);
            if (!i64_same(x, y)) {
                return select(1, -1, i64_less(x, y));
            }
        }
    }
    return 0;
}

// Whether row r of a is what row k of b asks for.
fn op_index(r: u32, k: u32) -> bool {
    return compare(r, k) == 0;
}

// Whether row i of a sorts before row j; equal rows by number.
fn precedes(i: u32, j: u32) -> bool {
    for (var c = 0u; c < p.a.cols; c++) {
        let x = i32(raw_a(i, c));
        let y = i32(raw_a(j, c));
        if (x != y) {
            return x < y;
        }
    }
    return i < j;
}

// n[3] invocations for each row of b: the least row of those that each tries.
@compute @workgroup_size(256)
fn try_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (faulted() || i >= p.total) {
        return;
    }
    let k = i / p.n[3];
    for (var r = i - k * p.n[3]; r < rows(); r += p.n[3]) {
        if (op_index(r, k)) {
            atomicMin(&counts[k], r);
            return;
        }
    }
}

// The numbers of the rows of a, unsorted.
@compute @workgroup_size(256)
fn number_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (!faulted() && i < p.total) {
        scratch[i] = i;
    }
}

// One step of bitonic sorting: n[3] the size that is merged; n[4] how far apart, or 0: mirrored,
// which puts the lesser row first everywhere, so that what lies behind the end needs no memory.
@compute @workgroup_size(256)
fn sort_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let t = linear(group, groups, local);
    if (faulted() || t >= p.total) {
        return;
    }
    let half = select(p.n[4], p.n[3] / 2u, p.n[4] == 0u);
    let start = t / half * 2u * half;
    let offset = t % half;
    let i = start + offset;
    let j = select(i + half, start + 2u * half - 1u - offset, p.n[4] == 0u);
    if (j >= rows()) {
        return;
    }
    let low = scratch[i];
    let high = scratch[j];
    if (precedes(high, low)) {
        scratch[i] = high;
        scratch[j] = low;
    }
}

// How many rows of a are less than each row of b, bit n[3] down to bit n[4] of it.
@compute @workgroup_size(256)
fn search_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let k = linear(group, groups, local);
    if (faulted() || k >= p.total) {
        return;
    }
    var less = atomicLoad(&counts[k]);
    for (var bit = i32(p.n[3]); bit >= i32(p.n[4]); bit--) {
        let more = less + (1u << u32(bit));
        if (more <= rows() && compare(scratch[more - 1u], k) < 0) {
            less = more;
        }
    }
    atomicStore(&counts[k], less);
}

fn found(k: u32) -> u32 {
    switch p.n[2] {
        case FOUND: { return atomicLoad(&counts[k]); }
        case SEARCHED: {
            let less = atomicLoad(&counts[k]);
            if (less < rows() && op_index(scratch[less], k)) {
                return scratch[less];
            }
            return NOTHING;
        }
        default: {
            for (var r = 0u; r < rows(); r++) {
                if (op_index(r, k)) {
                    return r;
                }
            }
            return NOTHING;
        }
    }
}

fn element(r: u32, c: u32) -> u32 {
    return finish64(i64_of(i32(found(c))), 0u, p.d.kind);
}
//! include pull
