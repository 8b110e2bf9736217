//! include lines
// Fold and Argmax: strips of lines become pairs in scratch, pairs are folded again, and a pull pass
// finishes them.  Short lines are folded by the pull pass itself.

override WHOLE: u32 = 0u;      // 1: the pull pass folds elements of a

// Elements first, first + step, ... below end of a row of a.
fn op_fold_rows(row: u32, first: u32, end: u32, step: u32) -> vec2<u32> {
    var total = neutral();
    var c = first;
    // Four loads at once: memory is slow to answer, but answers many.
    for (; c + 3u * step < end; c += 4u * step) {
        let raw = vec4<u32>(
            raw_a(row, c),
            raw_a(row, c + step),
            raw_a(row, c + 2u * step),
            raw_a(row, c + 3u * step),
        );
        total = combine(
            combine(total, combine(pair_of(raw.x, c), pair_of(raw.y, c + step))),
            combine(pair_of(raw.z, c + 2u * step), pair_of(raw.w, c + 3u * step)),
        );
    }
    for (; c < end; c += step) {
        total = combine(total, pair_of(raw_a(row, c), c));
    }
    return total;
}

// The same of a column.
fn op_fold_columns(column: u32, first: u32, end: u32, step: u32) -> vec2<u32> {
    var total = neutral();
    var r = first;
    for (; r + 3u * step < end; r += 4u * step) {
        let raw = vec4<u32>(
            raw_a(r, column),
            raw_a(r + step, column),
            raw_a(r + 2u * step, column),
            raw_a(r + 3u * step, column),
        );
        total = combine(
            combine(total, combine(pair_of(raw.x, r), pair_of(raw.y, r + step))),
            combine(pair_of(raw.z, r + 2u * step), pair_of(raw.w, r + 3u * step)),
        );
    }
    for (; r < end; r += step) {
        total = combine(total, pair_of(raw_a(r, column), r));
    }
    return total;
}

fn fold_items(line: u32, first: u32, end: u32, step: u32) -> vec2<u32> {
    switch source_kind() {
        case ROWS: { return op_fold_rows(line, first, end, step); }
        case COLUMNS: { return op_fold_columns(line, first, end, step); }
        default: {}
    }
    var total = neutral();
    for (var i = first; i < end; i += step) {
        total = combine(total, item(line, i));
    }
    return total;
}

// The pair of each strip, to scratch at n[8]; with n[12] = 1 all are added up in counts[0] instead.
@compute @workgroup_size(256)
fn fold_strips(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted_uniform(local)) {
        return;
    }
    let place = place_of(group, groups, local);
    part[local] = fold_items(place.line, place.start + place.lane, place.end, lanes());
    for (var half = lanes() / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (place.lane < half) {
            part[local] = combine(part[local], part[local + half * place.step]);
        }
    }
    if (place.lane == 0u && place.end > place.start) {
        if (p.n[12] == 1u) {
            atomicAdd(&counts[0], part[local].x);
        } else {
            let i = p.n[8] + place.line * p.n[13] + place.strip * p.n[14];
            set_pair(2u * i, part[local]);
        }
    }
}

// Element of the result: its line folded, or the n[6] pairs of its line.
fn element(r: u32, c: u32) -> u32 {
    let line = select(r, c, p.n[7] != 0u);
    if (WHOLE == 1u) {
        return finished(fold_items(line, 0u, line_length(), 1u));
    }
    var total = neutral();
    for (var strip = 0u; strip < strip_count(); strip++) {
        total = combine(total, pair(pair_at(p.n[9], line, strip)));
    }
    return finished(total);
}
//! include pull
