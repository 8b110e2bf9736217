//! include finish
// Lines: what folds, running folds and Where have in common.  A line is a row or a column of a, all
// elements of a in row-major order, or a list of exact pairs in scratch.  Lines are cut into
// strips; a workgroup of 256 takes one strip of each of 256 / lanes lines, ``lanes`` invocations a
// line.
//
// Exact values are pairs of words: 64-bit sums; for the other operators the raw word in x; for
// Argmax the position in x and the raw word in y.  All operators are associative and commutative.

override OPERATOR: u32 = 0u;   // 0: n[0]
override SOURCE: u32 = 0u;     // 0: n[1], else one more than it

const SUM: u32 = 65u;          // A
const GREATEST: u32 = 82u;     // R
const LEAST: u32 = 95u;        // _
const AND: u32 = 38u;
const OR: u32 = 124u;
const XOR: u32 = 94u;
const ARGMAX: u32 = 97u;       // a

const ROWS: u32 = 0u;          // line r is row r of a
const COLUMNS: u32 = 1u;       // line c is column c of a
const FLAGS: u32 = 2u;         // one line: 1 for each element of a that is not zero, row-major
const PAIRS: u32 = 3u;         // pairs in scratch
const NONE: u32 = 0xFFFFFFFFu;

fn chosen() -> u32 {
    if (OPERATOR != 0u) {
        return OPERATOR;
    }
    return p.n[0];
}

fn source_kind() -> u32 {
    if (SOURCE != 0u) {
        return SOURCE - 1u;
    }
    return p.n[1];
}

// n[2] lines of n[3] positions; n[4] invocations a line, a strip being n[4] * n[5] positions; n[6]
// strips.
fn line_count() -> u32 { return p.n[2]; }
fn line_length() -> u32 { return p.n[3]; }
fn lanes() -> u32 { return p.n[4]; }
fn lane_items() -> u32 { return p.n[5]; }
fn strip_count() -> u32 { return p.n[6]; }

// Index of the pair of (line, place) in scratch: pairs lie at base, with a step for each.
fn pair_at(base: u32, line: u32, place: u32) -> u32 {
    return 2u * (base + line * p.n[10] + place * p.n[11]);
}

fn pair(i: u32) -> vec2<u32> {
    return vec2<u32>(scratch[i], scratch[i + 1u]);
}

fn set_pair(i: u32, value: vec2<u32>) {
    scratch[i] = value.x;
    scratch[i + 1u] = value.y;
}

// What changes nothing.
fn neutral() -> vec2<u32> {
    switch chosen() {
        case GREATEST: { return vec2<u32>(0x80000000u, 0u); }
        case LEAST: { return vec2<u32>(0x7FFFFFFFu, 0u); }
        case AND: { return vec2<u32>(0xFFFFFFFFu, 0u); }
        case ARGMAX: { return vec2<u32>(0xFFFFFFFFu, 0x80000000u); }
        default: { return vec2<u32>(0u, 0u); }
    }
}

// Argmax of two parts of a row: the greater value, at the lesser column if equal.
fn op_argmax(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(a, b, i32(b.y) > i32(a.y) || (b.y == a.y && b.x < a.x));
}

fn combine(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    switch chosen() {
        case SUM: { return i64_add(a, b); }
        case GREATEST: { return select(a, b, i32(b.x) > i32(a.x)); }
        case LEAST: { return select(a, b, i32(b.x) < i32(a.x)); }
        case AND: { return a & b; }
        case OR: { return a | b; }
        case XOR: { return a ^ b; }
        default: { return op_argmax(a, b); }
    }
}

// A raw element as a pair.
fn pair_of(raw: u32, position: u32) -> vec2<u32> {
    switch chosen() {
        case SUM: { return i64_of(i32(raw)); }
        case ARGMAX: { return vec2<u32>(position, raw); }
        default: { return vec2<u32>(raw, 0u); }
    }
}

// Whether element ``position`` of a, row-major, is not zero.
fn flag(position: u32) -> bool {
    if (p.a.rows == 1u) {
        return raw_a(0u, position) != 0u;
    }
    let r = position / p.a.cols;
    return raw_a(r, position - r * p.a.cols) != 0u;
}

fn item(line: u32, position: u32) -> vec2<u32> {
    switch source_kind() {
        case ROWS: { return pair_of(raw_a(line, position), position); }
        case COLUMNS: { return pair_of(raw_a(position, line), position); }
        case FLAGS: { return vec2<u32>(select(0u, 1u, flag(position)), 0u); }
        default: { return pair(pair_at(p.n[9], line, position)); }
    }
}

// The pair as an element of d.
fn finished(value: vec2<u32>) -> u32 {
    switch chosen() {
        case SUM: { return finish64(value, fraction_of(p.a.kind), p.d.kind); }
        case GREATEST, LEAST: {
            return finish64(i64_of(i32(value.x)), fraction_of(p.a.kind), p.d.kind);
        }
        case ARGMAX: { return finish64(i64_of(i32(value.x)), 0u, p.d.kind); }
        default: { return value.x; }
    }
}

// Where an invocation stands.
struct Place {
    line: u32,
    lane: u32,         // number among the invocations of its line
    strip: u32,
    start: u32,        // positions of the strip; none for invocations beyond the end
    end: u32,
    step: u32,         // from a lane to the next in part
    first_slot: u32,   // of the line in part
}

var<workgroup> part: array<vec2<u32>, 256>;

// n[7] = 0: neighbours in the workgroup are lanes of a line (rows), else neighbouring lines
// (columns).
fn place_of(group: vec3<u32>, groups: vec3<u32>, local: u32) -> Place {
    let together = GROUP / lanes();
    let tiles = (line_count() + together - 1u) / together;
    let number = group.y * groups.x + group.x;
    let strip = number / tiles;
    var place: Place;
    var within = local / lanes();
    place.lane = local % lanes();
    place.step = 1u;
    place.first_slot = within * lanes();
    if (p.n[7] != 0u) {
        within = local % together;
        place.lane = local / together;
        place.step = together;
        place.first_slot = within;
    }
    place.line = (number - strip * tiles) * together + within;
    place.strip = strip;
    if (place.line < line_count() && strip < strip_count()) {
        place.start = strip * lanes() * lane_items();
        place.end = place.start + min(lanes() * lane_items(), line_length() - place.start);
    }
    return place;
}
