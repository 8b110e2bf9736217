"""Where programs and files live.  Nothing here knows the kernel or the shell."""
