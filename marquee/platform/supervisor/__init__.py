"""One supervisor for the processes of this machine: what a program is, how it starts, how it is watched and stopped."""
