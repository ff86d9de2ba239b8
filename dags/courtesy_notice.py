"""## Lettre de courtoisie

Chaque matin, un e-mail part aux lecteurs dont un prêt arrive à échéance **dans deux jours**.

1. **Extraire les prêts** : les prêts à échéance ce jour-là, lus dans le SIGB.
2. **Préparer les avis** : un avis par lecteur, avec tous ses documents de cette échéance.
3. **Vérifier le volume** : une tournée bien plus grosse que d'habitude, ou une lecture du SIGB inhabituelle
   (aucun prêt, deux fois moins d'e-mails ou de mobiles), attend une réponse (« Actions requises »).
4. **Envoyer les e-mails** : chaque lecteur une seule fois, même si la tournée est relancée ; ce qui a été rendu
   ou prolongé entre-temps n'est pas relancé.
5. **Clore et vérifier** : chaque prêt est dans un avis ou écarté avec un motif ; sinon la tournée est rouge.

Rattraper un jour : « Déclencher », puis donner le *jour de référence*. Un jour déjà fait ne renvoie rien ;
un prêt dont l'échéance est passée est écarté (`expired`). *Essai à blanc* : tout se prépare, rien ne part.
"""

from airflow.sdk import DAG

from loan_reminders.dag_arguments import dag_arguments, daily, each_library
from loan_reminders.domain.stages import Stage
from loan_reminders.operators import CloseRun, ConfirmVolume, ExtractLoans, PlanNotices, SendEmails

for _ in each_library():
    with DAG(schedule=daily(Stage.COURTESY_NOTICE), doc_md=__doc__, **dag_arguments(Stage.COURTESY_NOTICE)):
        loans = ExtractLoans()
        notices = PlanNotices(run_id=loans.output)
        volume = ConfirmVolume(run_id=loans.output)
        emails = SendEmails.of_shares(notices.output, run_id=loans.output)
        closing = CloseRun(run_id=loans.output)

        loans >> notices >> volume >> emails >> closing
