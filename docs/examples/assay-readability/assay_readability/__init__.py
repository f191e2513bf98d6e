"""A kind of check for Assay: are texts of one group written in longer sentences?"""
