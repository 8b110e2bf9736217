//! include finish
// Order: bitonic sorting of (key, column), which is stable because no two pairs are equal.  A key is the
// raw word with its sign turned.  The flipped form of the network always puts the lesser pair first, so
// what lies behind the end of a row needs no memory: it counts as greater than everything.
//
// n[0] columns; n[1] slots of a row in a block, a power of two up to 1024; n[2] blocks of a row;
// n[3] rows; n[4] 1: blocks are merged, else sorted from a; n[5] where they go.
// scratch: keys; counts: columns; both row-major.

const BLOCK: u32 = 1024u;
const TO_PAIRS: u32 = 0u;      // keys and columns
const TO_COLUMNS: u32 = 1u;    // columns alone
const TO_D: u32 = 2u;          // finished elements of d
const BEHIND: u32 = 0xFFFFFFFFu;

var<workgroup> block_keys: array<u32, BLOCK>;
var<workgroup> block_columns: array<u32, BLOCK>;

// Whether the second pair belongs before the first.
fn op_order(key: u32, column: u32, other_key: u32, other_column: u32) -> bool {
    return other_key < key || (other_key == key && other_column < column);
}

fn settle_pair(i: u32, j: u32) {
    let key = block_keys[i];
    let column = block_columns[i];
    let other_key = block_keys[j];
    let other_column = block_columns[j];
    if (op_order(key, column, other_key, other_column)) {
        block_keys[i] = other_key;
        block_columns[i] = other_column;
        block_keys[j] = key;
        block_columns[j] = column;
    }
}

// Compare each slot of the lower half of each ``size`` with its mirror image.
fn flip_block(size: u32, local: u32) {
    let half = size / 2u;
    for (var t = local; t < BLOCK / 2u; t += GROUP) {
        let start = t / half * size;
        let offset = t % half;
        settle_pair(start + offset, start + size - 1u - offset);
    }
}

// Compare slots that are ``half`` apart.
fn halve_block(half: u32, local: u32) {
    for (var t = local; t < BLOCK / 2u; t += GROUP) {
        let i = t / half * 2u * half + t % half;
        settle_pair(i, i + half);
    }
}

// Row and column of a slot of a workgroup's block; the row is BEHIND if there is none.
fn cell_of(number: u32, slot: u32) -> vec2<u32> {
    let width = p.n[1];
    let part = number * (BLOCK / width) + slot / width;
    let row = part / p.n[2];
    let column = (part - row * p.n[2]) * BLOCK + slot % width;
    if (row >= p.n[3] || column >= p.n[0]) {
        return vec2<u32>(BEHIND, BEHIND);
    }
    return vec2<u32>(row, column);
}

@compute @workgroup_size(256)
fn sort_blocks(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted_uniform(local)) {
        return;
    }
    let number = group.y * groups.x + group.x;
    let merges = p.n[4] == 1u;
    for (var slot = local; slot < BLOCK; slot += GROUP) {
        let cell = cell_of(number, slot);
        block_keys[slot] = BEHIND;
        block_columns[slot] = BEHIND;
        if (cell.x != BEHIND) {
            if (merges) {
                let i = cell.x * p.n[0] + cell.y;
                block_keys[slot] = scratch[i];
                block_columns[slot] = atomicLoad(&counts[i]);
            } else {
                block_keys[slot] = raw_a(cell.x, cell.y) ^ 0x80000000u;
                block_columns[slot] = cell.y;
            }
        }
    }
    if (merges) {
        for (var half = BLOCK / 2u; half > 0u; half /= 2u) {
            workgroupBarrier();
            halve_block(half, local);
        }
    } else {
        for (var size = 2u; size <= p.n[1]; size *= 2u) {
            workgroupBarrier();
            flip_block(size, local);
            for (var half = size / 4u; half > 0u; half /= 2u) {
                workgroupBarrier();
                halve_block(half, local);
            }
        }
    }
    workgroupBarrier();
    for (var slot = local; slot < BLOCK; slot += GROUP) {
        let cell = cell_of(number, slot);
        if (cell.x == BEHIND) {
            continue;
        }
        let column = block_columns[slot];
        let i = cell.x * p.n[0] + cell.y;
        switch p.n[5] {
            case TO_D: { store_d(at(p.d, cell.x, cell.y), placed(column)); }
            case TO_COLUMNS: { atomicStore(&counts[i], column); }
            default: {
                scratch[i] = block_keys[slot];
                atomicStore(&counts[i], column);
            }
        }
    }
}

// One step between blocks: n[6] the size that is merged; n[7] how far apart, or 0: mirrored.
// n[8] slots of a row, a power of two.
@compute @workgroup_size(256)
fn sort_step(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = linear(group, groups, local);
    if (faulted() || number >= p.total) {
        return;
    }
    let row = number / (p.n[8] / 2u);
    let t = number % (p.n[8] / 2u);
    var half = p.n[6] / 2u;
    if (p.n[7] != 0u) {
        half = p.n[7];
    }
    let start = t / half * 2u * half;
    let offset = t % half;
    let low = start + offset;
    let high = select(low + half, start + 2u * half - 1u - offset, p.n[7] == 0u);
    if (high >= p.n[0]) {
        return;
    }
    let i = row * p.n[0] + low;
    let j = row * p.n[0] + high;
    let key = scratch[i];
    let other_key = scratch[j];
    let column = atomicLoad(&counts[i]);
    let other_column = atomicLoad(&counts[j]);
    if (op_order(key, column, other_key, other_column)) {
        scratch[i] = other_key;
        scratch[j] = key;
        atomicStore(&counts[i], other_column);
        atomicStore(&counts[j], column);
    }
}

fn placed(column: u32) -> u32 {
    return finish64(i64_of_u32(column), 0u, p.d.kind);
}

fn element(r: u32, c: u32) -> u32 {
    return placed(atomicLoad(&counts[r * p.n[0] + c]));
}
//! include pull
