//! include scatter
// Put, Put rows and Accumulate of few items, without counts: each item looks at all others.

fn address_of(place: u32) -> u32 {
    let r = place / p.d.cols;
    return at(p.d, r, place - r * p.d.cols);
}

// The word of d at an address in its units.
fn word_of(address: u32) -> u32 {
    return select(address >> 2u, address, p.d.unit == 4u);
}

fn changed(k: u32, before: u32, sum: vec2<u32>) -> u32 {
    if (p.op == ACCUMULATE) {
        return op_accumulate(before, sum);
    }
    return op_put(k);
}

// The last item that reaches a word of d stores it, with what all items before it do there.
@compute @workgroup_size(256)
fn few(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let k = linear(group, groups, local);
    if (faulted() || k >= p.total) {
        return;
    }
    let mine = place_of(k);
    if (mine == NOWHERE) {
        return;
    }
    let word = word_of(address_of(mine));
    var last: array<u32, 4>;
    var sums: array<vec2<u32>, 4>;
    for (var j = 0u; j < items(); j++) {
        let place = place_of(j);
        if (place == NOWHERE) {
            continue;
        }
        let address = address_of(place);
        if (word_of(address) != word) {
            continue;
        }
        if (j > k) {
            return;
        }
        let slot = select(address & 3u, 0u, p.d.unit == 4u);
        last[slot] = j + 1u;
        if (p.op == ACCUMULATE) {
            sums[slot] = i64_add(sums[slot], addend(j));
        }
    }
    var value = load_d(word);
    if (p.d.unit == 4u) {
        store_d(word, changed(k, value, sums[0]));
        return;
    }
    for (var slot = 0u; slot < 4u; slot++) {
        if (last[slot] != 0u) {
            let shift = slot * 8u;
            let byte = changed(last[slot] - 1u, (value >> shift) & 0xFFu, sums[slot]) & 0xFFu;
            value = (value & ~(0xFFu << shift)) | (byte << shift);
        }
    }
    store_d(word, value);
}

var<private> winner: u32;

fn element(r: u32, c: u32) -> u32 {
    return op_put_rows(winner, c);
}
//! include pull

// An invocation for each item and each of the n[6] words of its row; the last item of a row stores
// it.
@compute @workgroup_size(256)
fn few_rows(
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
    let row = place_of(k);
    if (row == NOWHERE) {
        return;
    }
    for (var j = k + 1u; j < items(); j++) {
        if (place_of(j) == row) {
            return;
        }
    }
    winner = k;
    if (p.d.unit == 4u) {
        store_d(at(p.d, row, word), op_put_rows(k, word));
    } else {
        pull_bytes(row, word);
    }
}
