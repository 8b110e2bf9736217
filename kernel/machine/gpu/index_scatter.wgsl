//! include scatter
// Put, Put rows and Accumulate of many items.  Of equal positions the greatest k wins: atomicMax of
// the claim k + 1.  Sums are two words, the carry of the low one added to the high one, so that
// order does not matter.
//
// n[3], n[4] first place and number of places that are at hand, which means in counts.  Put, Put
// rows: claims.  Accumulate: low words, high words, then with n[5] = 1 claims.

fn near() -> u32 { return p.n[4]; }

// The place of item k counted from the first place at hand; NOWHERE if it is none of them.
fn near_place(k: u32) -> u32 {
    let place = place_of(k);
    if (place == NOWHERE || place - p.n[3] >= near()) {
        return NOWHERE;
    }
    return place - p.n[3];
}

fn add_at(place: u32, value: vec2<u32>) {
    let old = atomicAdd(&counts[place], value.x);
    let high = value.y + select(0u, 1u, old + value.x < old);
    if (high != 0u) {
        atomicAdd(&counts[near() + place], high);
    }
}

// Forget what was counted for the places of all items: claims, and the words of Accumulate.
@compute @workgroup_size(256)
fn reset(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let k = linear(group, groups, local);
    if (faulted() || k >= p.total) {
        return;
    }
    let place = near_place(k);
    if (place == NOWHERE) {
        return;
    }
    atomicStore(&counts[place], 0u);
    if (p.op == ACCUMULATE) {
        atomicStore(&counts[near() + place], 0u);
        atomicStore(&counts[2u * near() + place], 0u);
    }
}

// Count all items.
@compute @workgroup_size(256)
fn claim(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let k = linear(group, groups, local);
    if (faulted() || k >= p.total) {
        return;
    }
    let place = near_place(k);
    if (place == NOWHERE) {
        return;
    }
    if (p.op != ACCUMULATE) {
        atomicMax(&counts[place], k + 1u);
        return;
    }
    add_at(place, addend(k));
    if (p.n[5] == 1u) {
        atomicMax(&counts[2u * near() + place], k + 1u);
    }
}

// Element of d after all: for each place that is at hand.
fn element(r: u32, c: u32) -> u32 {
    let row = r * p.d.cols + c;
    let place = select(row, r, p.op == PUT_ROWS) - p.n[3];
    let before = raw_d(r, c);
    if (place >= near()) {
        return before;
    }
    let count = atomicLoad(&counts[place]);
    switch p.op {
        case ACCUMULATE: {
            return op_accumulate(before, vec2<u32>(count, atomicLoad(&counts[near() + place])));
        }
        case PUT_ROWS: {
            if (count != 0u) {
                return op_put_rows(count - 1u, c);
            }
        }
        default: {
            if (count != 0u) {
                return op_put(count - 1u);
            }
        }
    }
    return before;
}
//! include pull

// A d of words, few of which are reached: the last item of each place stores it.
@compute @workgroup_size(256)
fn settle(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let k = linear(group, groups, local);
    if (faulted() || k >= p.total) {
        return;
    }
    let near_by = near_place(k);
    if (near_by == NOWHERE) {
        return;
    }
    let claims = select(0u, 2u * near(), p.op == ACCUMULATE);
    if (atomicLoad(&counts[claims + near_by]) == k + 1u) {
        let place = near_by + p.n[3];
        let r = place / p.d.cols;
        let c = place - r * p.d.cols;
        store_d(at(p.d, r, c), element(r, c));
    }
}

// Put rows into few of many rows: an invocation for each item and each of the n[6] words of its
// row.
@compute @workgroup_size(256)
fn settle_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (faulted() || i >= p.total) {
        return;
    }
    let k = i / p.n[6];
    let word = i - k * p.n[6];
    let row = near_place(k);
    if (row == NOWHERE || atomicLoad(&counts[row]) != k + 1u) {
        return;
    }
    if (p.d.unit == 4u) {
        store_d(at(p.d, row + p.n[3], word), element(row + p.n[3], word));
    } else {
        pull_bytes(row + p.n[3], word);
    }
}
