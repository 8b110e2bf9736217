//! include finish blend
// Draw: items n[4]..n[5]-1 of b onto d.  A workgroup owns a rectangle of d: it looks which of 256
// items touch it, lists those in order, and then each invocation applies the list to its words.
// n[0]: invocations across a rectangle, as a power of 2; n[1]: words of an invocation, one below
// the other; n[2]: rectangles across d; total: rectangles; n[3]: rows of a leaf; n[6]: leaves.

// What d is: 0 pixels that are blended, 1 words, 2 bytes.
override MODE: u32 = 0u;
const PIXELS: u32 = 0u;
const BYTES: u32 = 2u;

const CHUNK: u32 = 256u;

// Where an item meets d: rows box.x..box.y-1, columns box.z..box.w-1; and the item's own row and
// column in d (modulo 2^32) and the first row of its leaf in a.
struct Item {
    box: vec4<u32>,
    origin: vec4<u32>,
}

var<workgroup> items: array<Item, 256>;
var<workgroup> touching: array<atomic<u32>, 8>;

// first..end-1 within 0..size-1, from a signed start and a length; empty if it does not meet.
fn clip(start: i32, length: i32, size: u32) -> vec2<u32> {
    if (length < 1 || start >= i32(size)) {
        return vec2<u32>(0u, 0u);
    }
    if (start < 0) {
        return vec2<u32>(0u, u32(clamp(start + length, 0, i32(size))));
    }
    return vec2<u32>(u32(start), min(size, u32(start) + u32(length)));
}

fn number(k: u32, field: u32) -> i32 {
    return floor_of(raw_b(k, field), p.b.kind);
}

// Item k; its box is empty if nothing of it is drawn.
fn item_at(k: u32) -> Item {
    let fields = p.b.cols;
    let row = number(k, 0u);
    let col = number(k, 1u);
    var rows = i32(p.n[3]);
    var cols = i32(p.a.cols);
    if (fields >= 4u) {
        rows = number(k, 2u);
        cols = number(k, 3u);
    }
    var leaf = 0u;
    if (fields == 3u || fields == 5u) {
        leaf = u32(number(k, fields - 1u));
    }
    if (leaf >= p.n[6]) {
        return Item(vec4<u32>(0u), vec4<u32>(0u));
    }
    let down = clip(row, rows, p.d.rows);
    let along = clip(col, cols, p.d.cols);
    return Item(vec4<u32>(down, along), vec4<u32>(u32(row), u32(col), leaf * p.n[3], 0u));
}

fn inside(box: vec4<u32>, r: u32, c: u32) -> bool {
    return r >= box.x && r < box.y && c >= box.z && c < box.w;
}

// The element of a that an item has at (r, c) of d.
fn sprite(item: Item, r: u32, c: u32) -> u32 {
    let y = (r - item.origin.x) % p.n[3];
    let x = (c - item.origin.y) % p.a.cols;
    return raw_a(item.origin.z + y, x);
}

// A pixel (r, c) after the first ``count`` listed items.
fn op_draw(r: u32, c: u32, count: u32, under: u32) -> u32 {
    var value = under;
    for (var k = 0u; k < count; k++) {
        if (inside(items[k].box, r, c)) {
            value = blend(sprite(items[k], r, c), value);
        }
    }
    return value;
}

// The last listed item that covers element (r, c); count if none does.
fn last_item(r: u32, c: u32, count: u32) -> u32 {
    for (var k = count; k > 0u; k--) {
        if (inside(items[k - 1u].box, r, c)) {
            return k - 1u;
        }
    }
    return count;
}

fn value_of(k: u32, r: u32, c: u32) -> u32 {
    return convert(sprite(items[k], r, c), p.a.kind, p.d.kind);
}

fn draw_word(r: u32, c: u32, count: u32) {
    let i = at(p.d, r, c);
    if (MODE == PIXELS) {
        let under = load_d(i);
        let value = op_draw(r, c, count, under);
        if (value != under) {
            store_d(i, value);
        }
    } else {
        let k = last_item(r, c, count);
        if (k < count) {
            store_d(i, value_of(k, r, c));
        }
    }
}

// The address of the lowest byte of row r of d.
fn lowest(r: u32) -> u32 {
    let start = p.d.offset + r * p.d.row_step;
    if (i32(p.d.col_step) < 0) {
        return start + (p.d.cols - 1u) * p.d.col_step;
    }
    return start;
}

// The column of d whose byte lies ``away`` bytes from the row's column 0; none: 2^32 - 1.
fn column_at(away: u32) -> u32 {
    let step = p.d.col_step;
    if (step == 1u) {
        return away;
    }
    if (step == 0u) {
        return select(0xFFFFFFFFu, 0u, away == 0u);
    }
    let back = i32(step) < 0;
    let distance = select(away, 0u - away, back);
    let size = select(step, 0u - step, back);
    if (i32(distance) < 0 || distance % size != 0u) {
        return 0xFFFFFFFFu;
    }
    return distance / size;
}

// Word w of the words that row r of a d of bytes touches.
fn draw_bytes(r: u32, w: u32, count: u32) {
    let word = (lowest(r) >> 2u) + w;
    let start = p.d.offset + r * p.d.row_step;
    var value = 0u;
    var mask = 0u;
    for (var byte = 0u; byte < 4u; byte++) {
        let c = column_at(word * 4u + byte - start);
        if (c >= p.d.cols) {
            continue;
        }
        let k = last_item(r, c, count);
        if (k < count) {
            value |= value_of(k, r, c) << (8u * byte);
            mask |= 0xFFu << (8u * byte);
        }
    }
    if (mask != 0u) {
        store_d(word, value | (load_d(word) & ~mask));
    }
}

@compute @workgroup_size(256)
fn draw(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = group.y * groups.x + group.x;
    if (faulted_uniform(local) || tile >= p.total) {
        return;
    }
    let across = 1u << p.n[0];
    let down = CHUNK >> p.n[0];
    let height = down * p.n[1];
    let row = tile / p.n[2] * height;
    let word = tile % p.n[2] * across;
    var width = p.d.cols;
    var left = word;
    var right = word + across;
    if (MODE == BYTES) {
        width = p.row_words;
        // Where columns are not bytes side by side, only rows decide which items are listed.
        left = 0u;
        right = p.d.cols;
        if (p.d.col_step == 1u) {
            left = max(4u * word, 3u) - 3u;
            right = 4u * (word + across);
        }
    }
    for (var first = p.n[4]; first < p.n[5]; first += CHUNK) {
        if (local < 8u) {
            atomicStore(&touching[local], 0u);
        }
        workgroupBarrier();
        var item = Item(vec4<u32>(0u), vec4<u32>(0u));
        var touches = false;
        if (first + local < p.n[5]) {
            item = item_at(first + local);
            let box = item.box;
            touches = box.x < min(box.y, row + height) && box.y > row
                && box.z < min(box.w, right) && box.w > left;
        }
        let bit = 1u << (local & 31u);
        if (touches) {
            atomicOr(&touching[local >> 5u], bit);
        }
        workgroupBarrier();
        var count = 0u;
        for (var k = 0u; k < 8u; k++) {
            let bits = atomicLoad(&touching[k]);
            if (touches && k == local >> 5u) {
                items[count + countOneBits(bits & (bit - 1u))] = item;
            }
            count += countOneBits(bits);
        }
        workgroupBarrier();
        let x = word + (local & (across - 1u));
        // No turn of the loop where there is nothing to draw.
        let turns = select(0u, p.n[1], count != 0u && x < width);
        for (var k = 0u; k < turns; k++) {
            let y = row + k * down + (local >> p.n[0]);
            if (y >= p.d.rows) {
                break;
            }
            if (MODE == BYTES) {
                draw_bytes(y, x, count);
            } else {
                draw_word(y, x, count);
            }
        }
        workgroupBarrier();
    }
}
