"""The kernel: processes, scheduling, pipes and devices."""
