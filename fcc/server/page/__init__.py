"""The page that shows what fcc does: its files, and what there is to see."""
