"""`python -m paperdesk`."""

from paperdesk.app.cli import main

main()
