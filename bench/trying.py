"""Run in a pod: connects to an address that is open and to one that is shut without a pause, and counts what is wrong.

``trying.py OPEN SHUT PORT``. It goes on after its command has returned, prints a dot now and then, ends at a line of
input or its end, and prints how many connections it tried and how many went otherwise.
TCP mostly says at once which it was. On a busy machine the answer may come a moment later; only a packet that was
dropped is sent again, after a second, and TCP tells that too.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
import time

ESTABLISHED = 1
SYN_SENT = 2


def state_of(address: str, port: int, wanted: int, source: int) -> int:
    """The state of a new connection to *address* from the port *source*, once it is *wanted* or time is up."""
    with socket.socket() as one:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("", source))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.connect_ex((address, port))
        until = time.monotonic() + 5
        while True:
            state, _, sent_again = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 3)
            if state == wanted or wanted == SYN_SENT or sent_again or time.monotonic() > until:
                return state


def main() -> None:
    """Try until told to stop."""
    if os.fork():
        os._exit(0)
    reached, shut, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    tries = wrong = 0
    while not select.select([0], [], [], 0)[0]:
        for address, wanted in ((reached, ESTABLISHED), (shut, SYN_SENT)):
            # Connection tracking remembers one that has ended for a second, and takes a new one from the same port
            # for it: each port has to wait until all the others have had their turn.
            wrong += state_of(address, port, wanted, 10000 + tries % 50000) != wanted
            tries += 1
        if tries % 40 == 0:
            print(".", flush=True)
    print(tries, wrong, flush=True)


if __name__ == "__main__":
    main()
