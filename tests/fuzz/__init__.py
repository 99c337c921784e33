"""Does anything that the world may send make the core fail, or say what is not legal?"""
