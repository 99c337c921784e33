"""Does the daemon stay legal, clean and small under load and faults?"""
