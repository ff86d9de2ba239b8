"""The verbs of a run, one operator each."""

from loan_reminders.operators.approve_letters import ApproveLetters
from loan_reminders.operators.close_run import CloseRun
from loan_reminders.operators.confirm_volume import ConfirmVolume
from loan_reminders.operators.erase_expired import EraseExpired
from loan_reminders.operators.extract_loans import ExtractLoans
from loan_reminders.operators.look_at_loans import LookAtLoans, MeasureEffect
from loan_reminders.operators.plan_notices import PlanNotices
from loan_reminders.operators.print_letters import PrepareLetters, PrintLetters
from loan_reminders.operators.read_mail_feedback import ReadBounces
from loan_reminders.operators.read_sms_feedback import ReadBlacklist, ReadCredit, ReadReceipts, ReadReplies
from loan_reminders.operators.send_emails import SendEmails
from loan_reminders.operators.send_sms import SendSms
from loan_reminders.operators.watch_runs import WatchRuns

__all__ = [
    "ApproveLetters",
    "CloseRun",
    "ConfirmVolume",
    "EraseExpired",
    "ExtractLoans",
    "LookAtLoans",
    "MeasureEffect",
    "PlanNotices",
    "PrepareLetters",
    "PrintLetters",
    "ReadBlacklist",
    "ReadBounces",
    "ReadCredit",
    "ReadReceipts",
    "ReadReplies",
    "SendEmails",
    "SendSms",
    "WatchRuns",
]
