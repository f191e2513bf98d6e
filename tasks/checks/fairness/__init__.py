"""Is there a gap between groups?"""
