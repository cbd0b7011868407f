"""One module per line of the table: what is run, against what, and with which goal."""
