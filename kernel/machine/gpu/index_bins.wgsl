//! include scatter
// Accumulate into few places: a workgroup counts in its own memory and then adds that to counts,
// where low words come first and n[1] high words behind them.

const MOST_BINS: u32 = 1024u;

var<workgroup> bin_low: array<atomic<u32>, MOST_BINS>;
var<workgroup> bin_high: array<atomic<u32>, MOST_BINS>;

fn add_to_bin(place: u32, value: vec2<u32>) {
    let old = atomicAdd(&bin_low[place], value.x);
    let high = value.y + select(0u, 1u, old + value.x < old);
    if (high != 0u) {
        atomicAdd(&bin_high[place], high);
    }
}

// An invocation takes n[3] items, 256 apart; runs of equal places are added up first.
@compute @workgroup_size(256)
fn bins(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted_uniform(local)) {
        return;
    }
    for (var place = local; place < places(); place += GROUP) {
        atomicStore(&bin_low[place], 0u);
        atomicStore(&bin_high[place], 0u);
    }
    workgroupBarrier();
    let first = (group.y * groups.x + group.x) * GROUP * p.n[3] + local;
    var held = NOWHERE;
    var sum = vec2<u32>(0u, 0u);
    for (var n = 0u; n < p.n[3]; n++) {
        let k = first + n * GROUP;
        if (k >= items()) {
            break;
        }
        let place = place_of(k);
        if (place != held) {
            if (held != NOWHERE) {
                add_to_bin(held, sum);
            }
            held = place;
            sum = vec2<u32>(0u, 0u);
        }
        if (place != NOWHERE) {
            sum = i64_add(sum, addend(k));
        }
    }
    if (held != NOWHERE) {
        add_to_bin(held, sum);
    }
    workgroupBarrier();
    for (var place = local; place < places(); place += GROUP) {
        let value = vec2<u32>(atomicLoad(&bin_low[place]), atomicLoad(&bin_high[place]));
        if (!i64_zero(value)) {
            let old = atomicAdd(&counts[place], value.x);
            let high = value.y + select(0u, 1u, old + value.x < old);
            if (high != 0u) {
                atomicAdd(&counts[places() + place], high);
            }
        }
    }
}
