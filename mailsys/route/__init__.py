"""Where does each recipient live?"""
