"""Keeps a list of processes running: starts them in order, restarts what ends, stops them in order.

This is the process that `narthex up` turns into (`narthex.runtime.embedded` decides what runs). The one thing to
know: it imports the standard library and nothing else, because it stays in memory as long as the installation
runs: 20 MB instead of the 85 of a process that has imported settings, bus and command line.

`plan` says what to run, `part` keeps one process running, `supervisor` all of them, `restarts` and `probe`
hold the decisions.
"""
