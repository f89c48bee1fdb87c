"""A deterministic simulation of the sending core: one seed is one history, and the same seed is the same history.

Simulated, each drawn from the seed:

* two to four senders in one to three processes, stepped one at a time: slot, intent, request, answer, outcome. Others may act
  between any two steps, and before any transaction inside a step;
* a process that dies between any two steps or just before or after any commit; one that freezes, is declared dead and comes
  back; a database that fails before or after a commit; doorbells that are lost or doubled; a wall clock that jumps;
* a provider with a ledger of what it accepted, which answers in every way that the table of outcomes knows (provider.py);
* operators who pause, resume, cancel and add opt-outs, on what they saw a moment ago;
* status callbacks: early, late, doubled, reordered, lost, for the account as a whole, forged.

Real, unchanged and on a real SQLite database: ``dispatch.Sender``, ``intent``, ``outcomes``, ``settle``, ``states``,
``evidence``, ``control``, ``recover``, ``pace``, and ``insight.recount`` which judges the counters. The clock, the network,
the doorbell and the randomness under them are the simulation's.

Not simulated, and proved elsewhere: threads, sockets and the client (unit and integration tests), PostgreSQL's locks and
SKIP LOCKED (integration on PostgreSQL; here transactions never overlap), killed processes and the durability of a commit
(acceptance), the inbox that stores callbacks before they are applied (integration), polling, and the rate of requests over
time (``test_pace``). It runs on SQLite alone, because it needs thousands of histories a minute.

    EXODASH_SOAK_SEEDS=10000 pytest tests/simulation     more histories than the usual 1,000
    EXODASH_REPLAY_SEED=123 pytest tests/simulation      one of them, with its steps
"""
