"""The state of a disk after a power cut: the program traced, its disk modelled.

`trace` runs the program under strace and reads which system calls changed its folder; `disk` keeps
what has reached the disk for sure, and what may have; `crash` makes folders as a crash could leave
them; `scenario` opens each of them with the program's own code and judges it.
"""
