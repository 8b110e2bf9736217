//! include lines
// Running folds: each strip starts from the pair of all strips before it.  The same kernel makes
// those pairs (in place, each becoming what stands before it) and writes the positions of Where.

const EXCLUSIVE: u32 = 0u;     // pairs in scratch, in place
const DIRECT: u32 = 1u;        // elements into d
const WORDS: u32 = 2u;         // elements into scratch at n[15], row-major
const BYTES: u32 = 3u;         // the same for a d of bytes, four positions of a line to a word
const WHERE_DIRECT: u32 = 4u;  // positions of flags into row 0 of d
const WHERE_WORDS: u32 = 5u;   // the same into scratch at n[15]

// The running pair of a row after an element, given the one before it.
fn op_cumulate_rows(before: vec2<u32>, raw: u32) -> vec2<u32> {
    return combine(before, pair_of(raw, 0u));
}

// The same down a column.
fn op_cumulate_columns(before: vec2<u32>, row: u32, column: u32) -> vec2<u32> {
    return combine(before, pair_of(raw_a(row, column), 0u));
}

fn next(before: vec2<u32>, line: u32, position: u32) -> vec2<u32> {
    if (source_kind() == COLUMNS) {
        return op_cumulate_columns(before, position, line);
    }
    return combine(before, item(line, position));
}

// The element of Where for a flag at ``position``.
fn op_where(position: u32) -> u32 {
    return finish64(i64_of(i32(position)), 0u, p.d.kind);
}

// Word of scratch that holds an element of the result.
fn packed_word(line: u32, position: u32) -> u32 {
    if (p.n[7] != 0u) {
        return p.n[15] + (position / 4u) * line_count() + line;
    }
    return p.n[15] + line * ((line_length() + 3u) / 4u) + position / 4u;
}

fn emit(line: u32, position: u32, before: vec2<u32>, after: vec2<u32>) {
    switch p.n[12] {
        case EXCLUSIVE: { set_pair(pair_at(p.n[9], line, position), before); }
        case DIRECT: {
            let column = p.n[7] != 0u;
            let i = at(p.d, select(line, position, column), select(position, line, column));
            store_d(i, finished(after));
        }
        case WORDS: {
            var i = line * line_length() + position;
            if (p.n[7] != 0u) {
                i = position * line_count() + line;
            }
            scratch[p.n[15] + i] = finished(after);
        }
        case WHERE_DIRECT: {
            if (after.x != before.x) {
                store_d(at(p.d, 0u, before.x), op_where(position));
            }
        }
        case WHERE_WORDS: {
            if (after.x != before.x) {
                scratch[p.n[15] + before.x] = op_where(position);
            }
        }
        default: {}
    }
}

var<workgroup> staged: array<u32, 2176>;

// Slot of the workgroup's n-th item in staged: a gap after each 32 keeps invocations, which take
// neighbouring items each, out of each other's way.
fn slot(n: u32) -> u32 {
    return n + n / 32u;
}

// Items of rows and flags pass through the workgroup's memory, so that neighbours read neighbours.
fn stages() -> bool {
    return p.n[7] == 0u && source_kind() != PAIRS;
}

fn load_staged(place: Place) {
    let strip = lanes() * lane_items();
    let first_slot = place.first_slot * lane_items();
    for (var n = place.lane; n < strip; n += lanes()) {
        let i = place.start + n;
        if (i < place.end) {
            var raw = 0u;
            if (source_kind() == FLAGS) {
                raw = select(0u, 1u, flag(i));
            } else {
                raw = raw_a(place.line, i);
            }
            staged[slot(first_slot + n)] = raw;
        }
    }
}

fn store_staged(place: Place) {
    let strip = lanes() * lane_items();
    let first_slot = place.first_slot * lane_items();
    for (var n = place.lane; n < strip; n += lanes()) {
        if (place.start + n < place.end) {
            store_d(at(p.d, place.line, place.start + n), staged[slot(first_slot + n)]);
        }
    }
}

// The running pair after the item at ``position``, whose slot is ``n`` if items are staged.
fn follow(before: vec2<u32>, line: u32, position: u32, n: u32) -> vec2<u32> {
    if (!stages()) {
        return next(before, line, position);
    }
    return op_cumulate_rows(before, staged[slot(n)]);
}

// One strip of each line: n[8] is where the pairs before the strips lie, or NONE.
@compute @workgroup_size(256)
fn scan_strips(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted_uniform(local)) {
        return;
    }
    let place = place_of(group, groups, local);
    let first = min(place.start + place.lane * lane_items(), place.end);
    let end = min(first + lane_items(), place.end);
    let own = (place.first_slot + place.lane) * lane_items() - first;
    if (stages()) {
        load_staged(place);
    }
    if (lanes() > 1u) {
        workgroupBarrier();
        var total = neutral();
        for (var i = first; i < end; i++) {
            total = follow(total, place.line, i, own + i);
        }
        part[local] = total;
        for (var away = 1u; away < lanes(); away *= 2u) {
            workgroupBarrier();
            var left = neutral();
            if (place.lane >= away) {
                left = part[local - away * place.step];
            }
            workgroupBarrier();
            part[local] = combine(left, part[local]);
        }
        workgroupBarrier();
    }
    var running = neutral();
    if (place.lane > 0u) {
        running = part[local - place.step];
    }
    if (p.n[8] != NONE && first < end) {
        let held = p.n[8] + place.line * p.n[13] + place.strip * p.n[14];
        running = combine(pair(2u * held), running);
    }
    let direct = p.n[12] == DIRECT && stages();
    var packed = 0u;
    for (var i = first; i < end; i++) {
        let before = running;
        running = follow(before, place.line, i, own + i);
        if (p.n[12] == BYTES) {
            packed |= (finished(running) & 0xFFu) << ((i & 3u) * 8u);
            if ((i & 3u) == 3u || i == end - 1u) {
                scratch[packed_word(place.line, i)] = packed;
                packed = 0u;
            }
        } else if (direct) {
            staged[slot(own + i)] = finished(running);
        } else {
            emit(place.line, i, before, running);
        }
    }
    if (direct) {
        workgroupBarrier();
        store_staged(place);
    }
}

// Element of the result from scratch, as n[12] says it lies there.
fn element(r: u32, c: u32) -> u32 {
    if (p.n[12] == WHERE_WORDS) {
        return scratch[p.n[15] + c];
    }
    if (p.n[12] == WORDS) {
        return scratch[p.n[15] + r * p.cols + c];
    }
    let column = p.n[7] != 0u;
    let position = select(c, r, column);
    let word = scratch[packed_word(select(r, c, column), position)];
    return byte_of(word, position);
}
//! include pull
