//! include finish
// Radix sorting: one pass moves the numbers of the items of each line to their places by 8 bits of
// their keys, and keeps the order of equal ones.  Keys stay where they are, in a, and are looked
// up.
//
// n[0] items of a line; n[1] lines; n[2] blocks of a line; n[3] lowest bit of the digit; n[4] bits
// of the key that are turned (the sign); n[5], n[6] where numbers are and go; n[7] pairs of the
// digits in scratch: first how often each comes in each block, then, scanned, where it goes; n[8]
// 0: item i of line r is element (r, i), 1: element (i, n[9]).

const ITEMS: u32 = 16u;        // of an invocation
const BLOCK: u32 = 4096u;
const DIGITS: u32 = 256u;
const UNMOVED: u32 = 0u;       // the numbers in order
const IN_COUNTS: u32 = 1u;
const IN_SCRATCH: u32 = 2u;
const TO_D: u32 = 3u;          // finished elements of d

var<workgroup> seen: array<atomic<u32>, DIGITS>;
// 256 bits for each digit: which invocations hold it.
var<workgroup> holders: array<atomic<u32>, 2048>;

fn number_of(line: u32, i: u32) -> u32 {
    let at_item = line * p.n[0] + i;
    switch p.n[5] {
        case IN_COUNTS: { return atomicLoad(&counts[at_item]); }
        case IN_SCRATCH: { return scratch[at_item]; }
        default: { return i; }
    }
}

fn digit_of(line: u32, number: u32) -> u32 {
    var raw = 0u;
    if (p.n[8] == 0u) {
        raw = raw_a(line, number);
    } else {
        raw = raw_a(number, p.n[9]);
    }
    return ((raw ^ p.n[4]) >> p.n[3]) & 255u;
}

fn pair_index(line: u32, digit: u32, block: u32) -> u32 {
    return 2u * (p.n[7] + (line * DIGITS + digit) * p.n[2] + block);
}

// How often each digit comes in a block.
@compute @workgroup_size(256)
fn count_digits(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted_uniform(local)) {
        return;
    }
    let number = group.y * groups.x + group.x;
    let line = number / p.n[2];
    let block = number - line * p.n[2];
    atomicStore(&seen[local], 0u);
    workgroupBarrier();
    if (line < p.n[1]) {
        for (var n = 0u; n < ITEMS; n++) {
            let i = block * BLOCK + n * GROUP + local;
            if (i < p.n[0]) {
                atomicAdd(&seen[digit_of(line, number_of(line, i))], 1u);
            }
        }
    }
    workgroupBarrier();
    if (line < p.n[1]) {
        let i = pair_index(line, local, block);
        scratch[i] = atomicLoad(&seen[local]);
        scratch[i + 1u] = 0u;
    }
}

fn move_to(line: u32, place: u32, number: u32) {
    let at_item = line * p.n[0] + place;
    switch p.n[6] {
        case IN_COUNTS: { atomicStore(&counts[at_item], number); }
        case IN_SCRATCH: { scratch[at_item] = number; }
        default: {
            store_d(at(p.d, line, place), finish64(i64_of_u32(number), 0u, p.d.kind));
        }
    }
}

// Move the numbers of a block, 256 at a time: place = first place of the digit + equal ones before.
@compute @workgroup_size(256)
fn move_numbers(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted_uniform(local)) {
        return;
    }
    let group_number = group.y * groups.x + group.x;
    let line = group_number / p.n[2];
    let block = group_number - line * p.n[2];
    if (line < p.n[1]) {
        atomicStore(&seen[local], scratch[pair_index(line, local, block)]);
    }
    for (var n = local; n < 2048u; n += GROUP) {
        atomicStore(&holders[n], 0u);
    }
    let own_word = local / 32u;
    let own_bit = 1u << (local % 32u);
    for (var n = 0u; n < ITEMS; n++) {
        let i = block * BLOCK + n * GROUP + local;
        let inside = line < p.n[1] && i < p.n[0];
        var number = 0u;
        var digit = 0u;
        workgroupBarrier();
        if (inside) {
            number = number_of(line, i);
            digit = digit_of(line, number);
            atomicOr(&holders[digit * 8u + own_word], own_bit);
        }
        workgroupBarrier();
        var before = 0u;
        var all = 0u;
        var place = 0u;
        if (inside) {
            for (var word = 0u; word < 8u; word++) {
                let bits = atomicLoad(&holders[digit * 8u + word]);
                all += countOneBits(bits);
                if (word < own_word) {
                    before += countOneBits(bits);
                } else if (word == own_word) {
                    before += countOneBits(bits & (own_bit - 1u));
                }
            }
            place = atomicLoad(&seen[digit]) + before;
        }
        workgroupBarrier();
        if (inside) {
            atomicStore(&holders[digit * 8u + own_word], 0u);
            if (before == 0u) {
                atomicStore(&seen[digit], place + all);
            }
            move_to(line, place, number);
        }
    }
}

// The numbers as an earlier pass left them in scratch.
fn element(r: u32, c: u32) -> u32 {
    return finish64(i64_of_u32(scratch[r * p.cols + c]), 0u, p.d.kind);
}
//! include pull
