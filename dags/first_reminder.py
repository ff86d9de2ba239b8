"""## Première lettre de relance

**8 jours après l'échéance** : un e-mail, ou une lettre si le lecteur n'a pas d'adresse électronique utilisable.

Les lettres du jour forment **un lot** dans les pages « Relances » : un PDF, dans l'ordre des codes postaux, et la liste
des destinataires (CSV) :
imprimer, plier en trois, mettre sous enveloppe à fenêtre. L'adresse tombe dans la fenêtre.

**Imprimer les lettres** attend les réponses aux e-mails : un lecteur dont l'adresse est refusée, ou dont le serveur
répond « plus tard » jusqu'au dernier essai, reçoit la lettre dans la même tournée. Les autres lettres partent même si
le serveur de messagerie est en panne. Qui ne peut rien recevoir est sur la page « Au bureau ».

**Vérifier le volume** : une tournée bien plus grosse que d'habitude, ou une lecture du SIGB inhabituelle (aucun prêt,
deux fois moins d'e-mails ou de mobiles), attend une réponse (« Actions requises »).

**Clore et vérifier** : chaque prêt est dans un avis ou écarté avec un motif ; sinon la tournée est rouge.
"""

from airflow.sdk import DAG

from loan_reminders.dag_arguments import dag_arguments, daily, each_library
from loan_reminders.domain.stages import Stage
from loan_reminders.operators import CloseRun, ConfirmVolume, ExtractLoans, PlanNotices, PrintLetters, SendEmails

for _ in each_library():
    with DAG(schedule=daily(Stage.FIRST_REMINDER), doc_md=__doc__, **dag_arguments(Stage.FIRST_REMINDER)):
        loans = ExtractLoans()
        notices = PlanNotices(run_id=loans.output)
        volume = ConfirmVolume(run_id=loans.output)
        emails = SendEmails.of_shares(notices.output, run_id=loans.output)
        letters = PrintLetters(run_id=loans.output, trigger_rule="all_done_min_one_success")
        closing = CloseRun(run_id=loans.output)

        loans >> notices >> volume >> [emails, letters] >> closing
        emails >> letters
