"""The words of librarians: French names of every closed list, and the sentences made of them.

`words` names what all trades share, `letters` what is on paper, `desk` the to-do page, `runs` the books and limits of a
run, `refusals` the sentence of every error that has a code, `days` dates and hours.
"""
