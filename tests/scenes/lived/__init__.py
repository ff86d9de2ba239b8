"""Three months of the fictional library, lived day by day through the real services: what `make up` shows.

    clock       a ledger that believes in another day: its own `now()` is that of the day being lived
    catalogue   the ILS as it was on each past day, with today's readers and loans
    outside     relay, SMS provider and mailbox of bounces; readers who answer STOP, dead numbers
    paper       the page engine for the letters of the last weeks, plain pages for those before
    runs_read_once  the ledger of so many tasks in one process
    kept_connections  the connections of so many senders in one process
    morning     a day's five runs, each as its DAG does them
    desk        what librarians do on a day: print, number, post, note what came back, look at readers
    side_by_side  two processes, one for e-mails and SMS, one for letters and the desk
    months      the whole: which days are ordinary, which are not; a line a week

What is real: the ledger (that of the installation), all services, the words of every message, the letters of the last
weeks. In memory: mail server, SMS provider and mailbox, and the pages of older letters, which say what they were.
"""
