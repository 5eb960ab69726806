"""Have we computed this before, and who is served from it?"""
