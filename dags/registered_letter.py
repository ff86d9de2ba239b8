"""## Lettre recommandée

**21 jours après l'échéance** : une lettre recommandée avec avis de réception, par lecteur.

1. **Préparer les lettres** : le lot est composé comme brouillon.
2. **Valider les lettres recommandées** (« Actions requises ») : rien ne s'imprime avant. La tournée attend aussi
   longtemps qu'il faut ; des lettres peuvent être retirées, avec un motif.
3. **Imprimer les lettres recommandées** : le SIGB est interrogé à nouveau, puis le lot est clos, avec ses PDF, la liste
   des destinataires (CSV) et le **bordereau de dépôt**, et suivi jusqu'aux avis de réception (pages « Relances »).

Un lecteur sans adresse postale utilisable est écarté avec le motif, pour le bureau de prêt.
**Vérifier le volume** : une tournée bien plus grosse que d'habitude, ou une lecture du SIGB inhabituelle (aucun prêt,
deux fois moins d'e-mails ou de mobiles), attend une réponse. **Clore et vérifier** : comptes faux, tournée rouge.
"""

from airflow.sdk import DAG

from loan_reminders.dag_arguments import dag_arguments, daily, each_library
from loan_reminders.domain.stages import Stage
from loan_reminders.operators import (
    ApproveLetters,
    CloseRun,
    ConfirmVolume,
    ExtractLoans,
    PlanNotices,
    PrepareLetters,
    PrintLetters,
)

for _ in each_library():
    with DAG(schedule=daily(Stage.REGISTERED_LETTER), doc_md=__doc__, **dag_arguments(Stage.REGISTERED_LETTER)):
        loans = ExtractLoans()
        notices = PlanNotices(run_id=loans.output)
        volume = ConfirmVolume(run_id=loans.output)
        draft = PrepareLetters(run_id=loans.output)
        answer = ApproveLetters(run_id=loans.output)
        letters = PrintLetters(task_id="print_registered_letters", run_id=loans.output)
        closing = CloseRun(run_id=loans.output)

        loans >> notices >> volume >> draft >> answer >> letters >> closing
