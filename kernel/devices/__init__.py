"""Devices: what stands behind each port."""
