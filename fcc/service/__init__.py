"""fcc as a service: the texts that systemd and launchd want. Pure: nothing is written here."""
