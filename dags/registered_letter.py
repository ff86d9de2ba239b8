"""## Lettre recommandée

**21 jours après l'échéance** : une lettre recommandée avec avis de réception, par lecteur.

Les lettres du jour forment **un seul PDF**, avec la liste des destinataires (CSV) à côté, dans le dossier des lettres.
Un lecteur sans adresse postale utilisable est écarté avec le motif, pour le bureau de prêt.

**Vérifier le volume** : une tournée bien plus grosse que d'habitude attend une validation (« Actions requises »).

**Clore et vérifier** : chaque prêt est dans un avis ou écarté avec un motif ; sinon la tournée est rouge.
"""

from airflow.sdk import DAG

from loan_reminders.dag_arguments import dag_arguments, daily
from loan_reminders.domain.stages import Stage
from loan_reminders.operators import CloseRun, ConfirmVolume, ExtractLoans, PlanNotices, PrintLetters

with DAG(schedule=daily(Stage.REGISTERED_LETTER), doc_md=__doc__, **dag_arguments(Stage.REGISTERED_LETTER)):
    loans = ExtractLoans(task_id="extract_loans", task_display_name="Extraire les prêts")
    notices = PlanNotices(task_id="plan_notices", task_display_name="Préparer les avis", run_id=loans.output)
    volume = ConfirmVolume(task_id="confirm_volume", task_display_name="Vérifier le volume", run_id=loans.output)
    letters = PrintLetters(
        task_id="print_registered_letters", task_display_name="Imprimer les lettres recommandées", run_id=loans.output
    )
    books = CloseRun(task_id="close_run", task_display_name="Clore et vérifier", run_id=loans.output)

    loans >> notices >> volume >> letters >> books
