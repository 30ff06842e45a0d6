"""The built client, and `python -m customer_client`."""

import sys

from customer_client.command import main

if __name__ == "__main__":
    sys.exit(main())
