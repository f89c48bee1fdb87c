"""Long runs on real processes: web, workers and simulator, with kills, faults, races and two workers at once.

    make soak                                  everything, on both databases; an hour or more
    SOAK_MESSAGES=20000 SOAK_KILLS=40 make soak
    SOAK_ONLY=faults SOAK_DATABASES=sqlite SOAK_SEED=7 make soak

Each scenario is judged by what the simulator's ledger says it accepted. It prints one line of JSON for each scenario and
database, with its seed, and ends with 1 when a promise was broken. The seed decides what is killed, which request meets which
fault and how long everybody waits; the interleaving of processes is the machine's, so a seed makes a run alike, not identical.
"""
