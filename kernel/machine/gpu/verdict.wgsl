//! checks
// After a check: the stream has faulted, or one more check has passed.
@compute @workgroup_size(1)
fn verdict() {
    if (faulted()) {
        return;
    }
    if (atomicLoad(&fault[1]) != NO_FAULT) {
        atomicStore(&fault[0], 1u);
    } else {
        atomicAdd(&fault[2], 1u);
    }
}
