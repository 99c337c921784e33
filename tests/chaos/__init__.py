"""What can go wrong on a provider's connection, and what do clients see of it?"""
