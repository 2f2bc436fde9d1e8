# ruff: noqa: E501 - tables and patterns read better on one line
"""French templates: what people write to agents, and narrative. Slots in braces are filled and labelled."""

TASKS = r"""
Bonjour, je m'appelle {person} et je voudrais suivre ma commande.
je m'appelle {person}
moi c'est {given}, vous pouvez m'aider ?
Bonjour, ici {person} de {org}. Pouvez-vous m'envoyer la facture {ref} ?
Merci de mettre à jour mon adresse : {address}.
J'ai déménagé, ma nouvelle adresse est {address}. Merci, {given}
Pouvez-vous livrer au {address} ?
Envoyer le colis à {person}, {address}
Livraison :\n{person}\n{address}
{person}\n{address}
{person}\n{org}\n{address}
{person}\n{org}\n{address}\nTél. {phone}
Nom : {person}\nAdresse : {address}\nTéléphone : {phone}
Nom : {family}\nPrénom : {given}\nVille : {town}
nom: {person}\nmail: {email}\nville: {town}
Nom et prénom : {person}\nDate de naissance : {date}\nLieu de naissance : {town} ({country})
Adresse de facturation : {address}
Notre siège se trouve au {address}.
L'agence {org} de {town} est fermée le {day}.
Les bureaux de {org} sont situés {address}
J'habite au {address} avec ma famille.
{person} habite au {address}.
{person} demeure {address}.
{given} vit à {town}.
Il a grandi {street} puis s'est installé à {town}.
Rendez-vous {address} après le spectacle.
On se retrouve {day} chez {org}, {address}.
Un taxi du {address} à la gare de {town}, s'il vous plaît.
J'ai perdu ma carte, envoyez la nouvelle au {address}. Je suis à {town} jusqu'à {day}.
Mon nom de famille est {family}, pas {family}.
Son nom de jeune fille était {family}.
Merci d'ajouter {person} comme cotitulaire du compte.
Faire un virement de {amount} à {person}.
Le compte appartient à {person}, né le {date} à {town}.
{title} {family},\n\nNous accusons réception de votre courrier du {date}. Nous passerons sur votre site de {town}.\n\nCordialement,\n{person}\n{role}, {org}
Chère {given},\n\nVeuillez trouver ci-joint le contrat de {org}.\n\nBien à vous,\n{given}
Salut {given},\ntu peux transférer ça à {given} et {given} ? Merci !\n{given}
Bonjour à tous, {given} est absente jusqu'à {day} ; contactez {given} ({email}).
De : {person} <{email}>\nÀ : {person} <{email}>\nObjet : suivi {ref}\n\nBonjour {given}, le serveur est rétabli.
@{given} tu peux relire avant {day} ?
{given} : tu es là ?\n{given} : oui, une minute.\n{given} : d'accord
Enquêteur : Et vous, {given}, qu'en pensez-vous ?\n{given} : Je suis arrivée à {town} en {year}.
Alors moi je travaille avec {given} depuis {year}, et avec {given} aussi, à {town}.
Ben {given} elle m'a dit que {given} partait à {town}, voilà.
Ma mère s'appelle {given}, elle vient de {town}, et mon père {given} est de {country}.
Q : Qui a signé le contrat ? R : {person}, pour {org}.
Résume la réunion entre {person} et {person} sur la fusion avec {org}.
Rédige un courriel à {person} pour décliner l'offre de {org}.
Prépare une réponse à {title} {family} qui se plaint de la livraison à {town}.
Traduis cette note de {given} en anglais.
Tableau des salariés : {person}, {role}, {town} ; {person}, {role}, {town} ; {person}, {role}, {town}
{person} | {role} | {town} | {email}
{person};{email};{phone};{town}
- {person} ({role})\n- {person} ({role})\n- {person}
Présents : {person}, {person}, {given} {family} et {person}.
Participants : {given}, {given}, {given}\nExcusée : {given}
1. {person} a présenté le budget.\n2. {person} a demandé des précisions sur {town}.\n3. Prochaine réunion le {date}.
Action : {given} rappelle {org} avant {day}.
Responsable : {given}. Relecture : {person}. Échéance : {date}.
Ticket {ref} : {person} ({email}) ne peut plus se connecter depuis {town}.
Ticket ouvert par {person}\nAssigné à {person}\nStatut : en attente\nPriorité : haute
L'utilisateur {person} signale que l'imprimante de l'étage {n} est hors ligne.
Le portable de {person} a été volé à {town}. Numéro de série {ref}.
Demandeur : {person}\nService : {dept}\nSite : {town}\nDescription : le VPN coupe toutes les {n} minutes.
Le compte de {person}, {role} chez {org}, a été utilisé depuis {town}.
Salut, c'est {given} de {town}, mon numéro est {phone}. Le serveur srv-{n} ne répond plus.
Suite à l'appel de {title} {family} de {org}, merci de créer un accès pour {given} {family}.
La patiente {person}, née le {date}, a été admise à {town} pour des douleurs.
Salarié : {person} (matricule {ref}) demande un congé parental à partir du {date}.
{title} {person} est mutée de {org} vers l'équipe {dept} à {town}.
Candidat : {person}. Employeur actuel : {org}. Lieu : {town}.
{person} travaille comme {role} pour {org} depuis {year}.
CV\n{person}\n{role}\n{address}\n{email}\n{phone}
Facture {ref}\nClient : {org}\n{address}\nÀ l'attention de {person}\nTotal : {amount}
Le fournisseur {org} de {town} propose {amount}, {org} propose {amount}.
Compare les offres de {org}, {org} et {org}.
Contrat entre {org}, {address}, représentée par {person}, et {org}.
Je veux être remboursé. Le magasin de {town} refuse. Cordialement, {person}
Trouve-moi un train de {town} à {town} le {date}.
Je pars en {country} le mois prochain, faut-il un visa ?
Nous ouvrons des agences à {town}, {town} et {town}.
Est-ce que {given} est rentré de {country} ?
Dis bonjour à {given} de ma part.
Pourquoi {given} est-il toujours en retard ?
Merci {given} ! À {day}.
Félicitations à {person} et {person} pour leur promotion !
Cordialement,\n\n{person}\n{role}\n{org}\n{address}\n{phone}
Bien cordialement,\n{person}
--\n{person}\n{org} | {town}\n{email}
bises, {given}
signé {person}
Mme {family} est partie à {town} {day} matin.
M. {family} et le Dr {family} étaient présents.
Monsieur {person}, Madame {person} et Maître {family}
bonjour je suis {person} et j'habite à {town}
j'ai parlé avec {given} et {given} de {org} hier
merci d'appeler {person} au {phone} pour le {address}
"""

NARRATIVE = r"""
{person} est né à {town} en {year} et s'est installé en {country} enfant.
En {year}, {person} fonde {org} avec {person}.
{org} a été créée en {year} à {town}. C'est aujourd'hui l'une des plus grandes entreprises de la région.
« {person} a tout changé », explique {given} {family}, qui dirige désormais {org}.
Le film, réalisé par {person} avec {person}, a été tourné à {town}.
Le deuxième roman de {person} raconte l'histoire de {given}, une jeune femme de {town} qui tombe amoureuse de {given}.
Dans ce récit captivant, {person} découvre un secret que {given} cachait depuis des années.
Dans un article sur le climat, {person} explique que les émissions pourraient baisser. Selon {person}, cela prendra du temps.
La chanson a été écrite par {person} et interprétée par {family} en {year}.
Selon {person}, l'entreprise va déplacer son siège de {town} à {town}.
{person}, porte-parole de {org}, n'a pas souhaité répondre.
{title} {family} a déclaré à {town} que les négociations reprendraient {day}.
Le président {person} a rencontré {person} à {town} le {date}.
Elle rencontra {given} au marché, où il achetait du pain.
{given} sourit et ferma la porte. « Pas aujourd'hui », dit-elle à {given}.
Quand {given} arriva, {family} était déjà rentré chez lui.
La rue était vide. {given} marchait vite vers le fleuve en pensant à {given}.
Le vieux {family} ne parlait jamais de la guerre.
Des chercheurs du {org} dirigés par {person} ont découvert une nouvelle enzyme.
Le match entre {town} et {town} s'est terminé {n} à {n} ; {family} a marqué deux fois.
{person} a remporté le titre à {town} devant {person}.
L'action {org} a gagné {n} % après le départ de {person}, son {role}.
La famille {family} vit à {town} depuis trois générations.
{country} et {country} ont signé un traité à {town} en {year}.
Un train entre {town} et {town} a été annulé à cause de la neige.
D'après {person}, {given} n'aurait jamais quitté {town}. {family} le confirme.
L'auteur, {person}, nous plonge dans l'univers de {given} et d'{given}.
Malgré les obstacles, {given} et {given} parviennent à retrouver {person}.
La détective {person} mène l'enquête avec son collègue {person}, jusqu'à {town}.
"""

COURT = r"""
Le requérant, {title} {person}, ressortissant {nat}, est né en {year} et réside à {town}.
La requérante a été représentée par {title} {family}, avocate à {town}.
Le tribunal judiciaire de {town}, par jugement du {date}, a condamné {title} {person} à payer {amount} à {org}.
La société {org}, dont le siège est {address}, a interjeté appel le {date}.
Attendu que {title} {family} soutient que son employeur, {org}, ne l'a pas payé ;
La cour d'appel de {town} a confirmé le jugement rendu contre {given} {family}.
{title} {person}, demeurant {address}, a fait assigner {org} devant le tribunal.
Entendu en audience publique, {title} {family}, conseiller rapporteur, en son rapport ;
Le témoin {given} {family} déclare avoir vu {person} à {town} le soir du {date}.
Sa femme, {given}, et leurs enfants {given} et {given} l'ont rejoint en {country} en {year}.
Affaire {family} c. {country}, arrêt du {date}.
"""

PLAIN = r"""
Rédige un résumé du document en trois points.
Rédigez une réponse polie pour décliner la réunion.
Résume le rapport ci-joint et liste les questions ouvertes.
Traduis le texte suivant en anglais.
Réécris ce courriel sur un ton plus chaleureux.
Explique la différence entre marge brute et marge nette.
Facture
Facture n° {ref}
Montant total : {amount}
Bonne Année à tous !
Joyeux Noël et meilleurs vœux pour la nouvelle année.
Bonjour à toutes et à tous,
Madame, Monsieur,
Cordialement,
Bien à vous,
Bonne journée
Merci d'avance
Quelle est la date limite pour la note de frais ?
Combien de jours de congé me reste-t-il ?
La réunion est déplacée à {time} en salle {n}.
Veuillez trouver ci-joint le compte rendu.
Erreur {n} : connexion refusée sur le port {n}
[{date} {time}] KERNEL: cache activé
ATTENTION Nouvelle tentative {n} sur {n} : délai dépassé
La mise à jour Windows a échoué avec le code {ref}. Redémarrage requis.
Outlook redemande le mot de passe depuis la dernière mise à jour.
Statut : En cours\nPriorité : Haute\nCatégorie : Réseau
Résultats trimestriels\nLe chiffre d'affaires progresse de {n} %.
Ordre du jour\n1. Budget\n2. Recrutement\n3. Questions diverses
Voir l'article {n} des Conditions Générales de Vente.
Étape {n} : ouvrez Paramètres, puis Sécurité et Confidentialité.
Le Règlement Intérieur et la Charte Informatique ont été mis à jour.
L'Assemblée Générale aura lieu le {date}.
Le projet Phénix avance bien ; le sprint {n} se termine {day}.
Les Ressources Humaines, la Finance et le Juridique doivent valider la demande.
Calcule la moyenne de la colonne B avec Python.
Trie le tableau par Chiffre d'affaires et trace un graphique.
Responsable Marketing, Directeur Commercial, Directrice Financière
Chapitre {n} : introduction à l'apprentissage automatique
Les fichiers Excel, Word et PowerPoint sont acceptés.
N'hésitez pas à revenir vers nous.
Ma carte n'est pas acceptée par le site.
Notre fournisseur a augmenté ses prix de {n} % ce trimestre.
Politique de mot de passe : au moins {n} caractères, un chiffre, un symbole.
Du lundi au vendredi, de {time} à {time}
Bonjour, je n'arrive plus à me connecter. Pouvez-vous m'aider ?
Puis-je reporter mes congés non pris ?
Télétravail : deux jours par semaine au maximum.
Objet : demande de congés
Compte rendu de réunion
Convention collective, article {n}
Sécurité sociale, mutuelle et prévoyance
Oui, voilà, enfin bon, c'était compliqué.
Ben écoutez, je ne sais pas trop, hein.
Quand j'étais petite on habitait à la campagne, il n'y avait pas grand-chose.
Plus tard, il comprit que Rien ne serait plus comme avant.
"""
