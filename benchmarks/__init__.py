"""Every number that the documentation states, and the script that measured it."""
